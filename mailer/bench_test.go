package mailer_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// BenchmarkWay is one invite from the request to the SMTP server's answer, both
// services in memory and included. The stages have benchmarks of their own,
// each in its package.
func BenchmarkWay(b *testing.B) { benchmarkWay(b, nil) }

// BenchmarkWayRecorded is the same with a ledger on disk, every write durable.
func BenchmarkWayRecorded(b *testing.B) {
	l, err := sqlite.Open(b.Context(), sqlite.Options{Path: filepath.Join(b.TempDir(), "ledger.sqlite")})
	require.NoError(b, err)
	defer func() { require.NoError(b, l.Shutdown(b.Context())) }()
	benchmarkWay(b, l)
}

func benchmarkWay(b *testing.B, l mailer.Ledger) {
	b.ReportAllocs()
	inbox := submissiontest.NewInbox(submissiontest.Options{Handle: func(submissiontest.Message) error { return nil }})
	defer func() { require.NoError(b, inbox.Close()) }()
	api, err := cronofy.New(cronofy.Config{APIKey: "k", RatePerSecond: -1, RatePerMinute: -1,
		Transport: cronofytest.New(cronofytest.Options{}).Transport()})
	require.NoError(b, err)
	smtp, err := submission.New(submission.Config{Host: "localhost", TLS: submission.TLSNone, Dial: inbox.Dial})
	require.NoError(b, err)
	defer func() { require.NoError(b, smtp.Shutdown(context.Background())) }()
	m, err := mailer.New(mailer.Config{API: api, Submitter: smtp, Ledger: l, AllowPast: true,
		Logger: slog.New(slog.DiscardHandler)})
	require.NoError(b, err)
	n := 0
	for b.Loop() {
		invite := boardMeeting()
		invite.ID = fmt.Sprint("event-", n)
		n++
		r, err := m.Send(context.Background(), invite)
		if err != nil || r.Outcome != mailer.Sent {
			b.Fatal(r.Outcome, err)
		}
	}
}
