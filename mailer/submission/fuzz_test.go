package submission_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// Whatever is accepted arrives byte for byte; nothing in a message can end it.
func FuzzContentRoundTrip(f *testing.F) {
	for _, seed := range []string{"a\r\n", ".\r\n", "..\r\n.\r\n", "\r\n.\r\n\r\n", ".", "a\r\n.",
		".a\r\n..b\r\n", "\n.\n", "\r.\r", letter} {
		f.Add([]byte(seed), 1)
	}
	f.Add([]byte(".line\r\n"), 9000)
	inbox := submissiontest.NewInbox(submissiontest.Options{})
	s, err := submission.New(submission.Config{Host: "localhost", TLS: submission.TLSNone, Dial: inbox.Dial})
	require.NoError(f, err)
	f.Cleanup(func() { assert.NoError(f, s.Shutdown(context.Background())); assert.NoError(f, inbox.Close()) })
	f.Fuzz(func(t *testing.T, msg []byte, times int) {
		msg = bytes.Repeat(msg, min(max(times, 1), 100_000/(len(msg)+1)+1))
		before := len(inbox.Messages())
		got := s.Submit(context.WithoutCancel(t.Context()), envelope, msg)
		if got.Outcome == submission.NotBegun {
			require.ErrorIs(t, got.Err, submission.ErrBadMessage)
			return
		}
		require.NoError(t, got.Err)
		after := inbox.Messages()
		require.Len(t, after, before+1)
		if !bytes.HasSuffix(msg, []byte("\r\n")) {
			msg = append(msg, "\r\n"...)
		}
		require.Equal(t, string(msg), string(after[before].Data))
	})
}
