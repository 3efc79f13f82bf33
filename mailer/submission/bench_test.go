package submission_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// One message of the usual size over loopback, on a kept connection. The
// allocations are the server's as well.
func BenchmarkSubmit(b *testing.B) {
	inbox := submissiontest.NewInbox(
		submissiontest.Options{Handle: func(submissiontest.Message) error { return nil }},
	)
	require.NoError(b, inbox.Start())
	defer func() { _ = inbox.Close() }()
	s, err := submission.New(submission.Config{Host: "127.0.0.1", Port: inbox.Port(), TLS: submission.TLSNone})
	require.NoError(b, err)
	defer func() { _ = s.Shutdown(context.Background()) }()
	msg := []byte(
		strings.Repeat("A line of seventy-six characters, as quoted-printable text likes to have it\r\n", 72),
	)
	b.ReportAllocs()
	b.SetBytes(int64(len(msg)))
	for b.Loop() {
		if got := s.Submit(b.Context(), envelope, msg); got.Err != nil {
			b.Fatal(got.Err)
		}
	}
}
