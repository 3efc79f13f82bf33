package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
)

// TestOutcomeOfEveryState: status has no words but those of the results, and an
// error for whatever is no success.
func TestOutcomeOfEveryState(t *testing.T) {
	t.Parallel()
	for state, want := range map[ledger.State]mailer.Outcome{
		ledger.Created: mailer.Deferred, ledger.Submitting: mailer.Unknown, ledger.Sent: mailer.Sent,
		ledger.Deferred: mailer.Deferred,
		ledger.Failed:   mailer.Failed, ledger.Unknown: mailer.Unknown,
		ledger.Expired: mailer.Expired, ledger.Settled: mailer.Unchanged,
	} {
		l := newEntryLine(&ledger.Entry{Known: true, Latest: &ledger.Revision{State: state, Stage: "submit",
			Code: "code", Detail: "detail"}})
		assert.Equal(t, want, l.Outcome, state)
		if want == mailer.Sent || want == mailer.Unchanged {
			assert.Nil(t, l.Error, state)
			continue
		}
		require.NotNil(t, l.Error, state)
		assert.NotEmpty(t, l.Error.Stage, state)
		assert.NotEmpty(t, l.Error.Code, state)
		assert.NotEmpty(t, l.Error.Message, state)
	}
}

// TestStatusColumns: on a terminal the lines are aligned, and nothing in the
// ledger can move the cursor.
func TestStatusColumns(t *testing.T) {
	t.Parallel()
	at := time.Date(2027, 4, 29, 9, 30, 0, 0, time.FixedZone("", 3600))
	e := ledger.Entry{Key: ledger.Key{InviteID: "a\x1b[2J"}, Recipient: "ada@example.com", Known: true,
		Latest: &ledger.Revision{State: ledger.Sent, Kind: "update", At: at}}
	assert.Equal(t, "sent       update        2027-04-29 08:30:00Z  a\\x1b[2J                  "+
		"ada@example.com                 "+
		""+
		""+
		"", newEntryLine(&e).columns())
	e.RSVP = &ledger.RSVP{Status: "accepted", Revision: 1}
	assert.True(t, strings.HasSuffix(newEntryLine(&e).columns(), "  accepted"))
	e.Latest.Asks = 2
	assert.True(t, strings.HasSuffix(newEntryLine(&e).columns(), "  accepted (an earlier time)"))
	assert.True(t, newEntryLine(&e).RSVP.Outdated)
	e.RSVP = nil
	e.Latest.State, e.Latest.Stage, e.Latest.Detail = ledger.Failed, "submit", "550 no such user"
	assert.Equal(t, "failed     update        2027-04-29 08:30:00Z  a\\x1b[2J                  "+
		"ada@example.com                   "+
		""+
		""+
		"submit: 550 no such user",
		newEntryLine(&e).columns())
}

// TestInHandColumns: on a terminal it is told last, so that nothing moves.
func TestInHandColumns(t *testing.T) {
	t.Parallel()
	at := time.Date(2027, 4, 29, 9, 30, 0, 0, time.UTC)
	l := newClaimLine(sqlite.Claimed{Key: ledger.Key{InviteID: "talk", Address: "ada@example.com"},
		Until: at.Add(20 * time.Second)}, at)
	assert.Regexp(t, `^deferred +2027-04-29 09:30:00Z +talk +ada@example.com +in hand until 2027-04-29 09:30:20Z  `+
		`ledger: a run has the invite in hand`, l.columns())
}

// recordInvites writes a ledger that knows n invites.
func recordInvites(tb testing.TB, n int) (file string) {
	tb.Helper()
	file = filepath.Join(tb.TempDir(), "ledger.sqlite")
	l, err := sqlite.Open(tb.Context(), sqlite.Options{Path: file})
	require.NoError(tb, err)
	var made []ledger.NewRevision
	var keys []ledger.Key
	for i := range n {
		to := fmt.Sprintf("person%d@example.org", i)
		keys = append(keys, ledger.Key{InviteID: fmt.Sprintf("event-%d", i), Address: to})
		made = append(made, ledger.NewRevision{Key: keys[i], Recipient: to,
			Revision: ledger.Revision{Kind: "invitation", Method: "request",
				UID: "uid", State: ledger.Failed, Stage: "submit", Code: "smtp_refused", Detail: "no such user"}})
	}
	claim, err := l.Claim(tb.Context(), keys...)
	require.NoError(tb, err)
	require.NoError(tb, l.Create(tb.Context(), claim, made...))
	require.NoError(tb, l.Shutdown(tb.Context()))
	return file
}

// TestStatusUnread: the listing ends when its lines cannot be written.
func TestStatusUnread(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	m := Main{Args: []string{"status", "--ledger", "sqlite:" + recordInvites(t, 1000)},
		Stdin: strings.NewReader(""), Stdout: closedPipe{}, Stderr: &stderr}
	assert.EqualValues(t, exitTempfail, m.Run(t.Context()))
	assert.Contains(t, stderr.String(), "the results could not be written")
	assert.Equal(t, 1, strings.Count(stderr.String(), "\n"))
}

// BenchmarkStatus lists a ledger of 1,000 invites.
func BenchmarkStatus(b *testing.B) {
	b.ReportAllocs()
	file := recordInvites(b, 1000)
	for b.Loop() {
		var stdout countingWriter
		m := Main{Args: []string{"status", "--ledger", "sqlite:" + file}, Stdin: strings.NewReader(""),
			Stdout: &stdout, Stderr: io.Discard}
		if m.Run(b.Context()) != int(exitOK) || strings.Count(stdout.String(), "\n") != 1000 {
			b.Fatal("the listing is not complete")
		}
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"36h": 36 * time.Hour, "30d": 30 * 24 * time.Hour,
		"1m30s": 90 * time.Second} {
		var a age
		require.NoError(t, a.UnmarshalText([]byte(text)), text)
		assert.Equal(t, want, time.Duration(a), text)
	}
	for _, text := range []string{"", "d", "0d", "-1d", "1.5d", "0s", "-1h", "soon", "36501d", "9999999999999999999d"} {
		var a age
		assert.ErrorContains(t, a.UnmarshalText([]byte(text)), "use one such as", text)
	}
}

func TestInstant(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2027-04-29": "2027-04-29T00:00:00Z", "2027-04-29T00:30:00+02:00": "2027-04-28T22:30:00Z",
		"2027-04-29T09:30:00Z": "2027-04-29T09:30:00Z",
	} {
		var i instant
		require.NoError(t, i.UnmarshalText([]byte(text)), text)
		assert.Equal(t, want, i.UTC().Format(time.RFC3339), text)
	}
	for _, text := range []string{"", "today", "2027-02-30", "29.04.2027", "2027-04-29T09:30", "2027-04"} {
		var i instant
		assert.ErrorContains(t, i.UnmarshalText([]byte(text)), "use one such as 2027-04-29", text)
	}
}
