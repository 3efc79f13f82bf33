package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/lint"
)

// countingWriter remembers what came in how many writes.
type countingWriter struct {
	strings.Builder
	writes atomic.Int64
	err    error
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.writes.Add(1)
	if w.err != nil {
		return 0, w.err
	}
	return w.Builder.Write(p)
}

// resultsTo writes JSON, or as on a terminal, to w; stopped ends when it asks to stop.
func resultsTo(t testing.TB, w io.Writer, columns bool) (r *results, stopped context.Context) {
	t.Helper()
	inv := &invocation{Stdout: newOutput(w, t.Context()), screen: newScreen(io.Discard)}
	inv.stop, inv.halt = context.WithCancel(t.Context())
	t.Cleanup(inv.halt)
	return &results{inv: inv, terminal: columns, columns: columns}, inv.stop
}

// TestResultNames pins the names of a result line and their order: programs
// read them.
func TestResultNames(t *testing.T) {
	t.Parallel()
	sequence := 2
	l := newLine("invites.jsonl", 7, &mailer.Receipt{
		InviteID: "board-meeting", Recipient: "ada@example.com", Method: mailer.Request,
		Kind: mailer.Update, Outcome: mailer.Failed, Known: true,
		UID: "uid", Sequence: &sequence, MessageID: "<id@example.com>", Reply: "550 5.1.1 no such user", Attempts: 3,
		At:       time.Date(2027, 4, 29, 9, 30, 0, 123456789, time.FixedZone("", 3600)),
		Findings: []mailer.Finding{{Rule: "IM38", Level: lint.Warning, Field: "event.end", Message: "odd"}},
		Error: &mailer.Error{Stage: mailer.StageSubmit, Code: mailer.CodeSMTPRefused, Field: "recipient.email",
			Message: "refused"},
	})
	l.EML = "out/x.eml"
	w := &countingWriter{}
	r, _ := resultsTo(t, w, false)
	require.NoError(t, r.put(t.Context(), l))
	assert.Equal(t, `{"file":"invites.jsonl","line":7,"smart_invite_id":"board-meeting",`+
		`"recipient":"ada@example.com","method":"request","kind":"update",`+
		`"outcome":"failed","known":true,"uid":"uid","sequence":2,"message_id":"<id@example.com>",`+
		`"smtp_reply":"550 5.1.1 no such user","attempts":3,`+
		`"at":"2027-04-29T08:30:00.123Z","findings":[{"rule":"IM38","level":"warning","field":"event.end",`+
		`"message":"odd"}],"eml":"out/x.eml",`+
		`"error":{"stage":"submit","code":"smtp_refused","field":"recipient.email",`+
		`"message":"refused"}}`+"\n", w.String())
}

// TestColumns: people see one line each at once, with nothing in it that could
// move their cursor.
func TestColumns(t *testing.T) {
	t.Parallel()
	w := &countingWriter{}
	r, _ := resultsTo(t, w, true)
	var bar strings.Builder
	r.inv.screen = &screen{w: &bar, drawn: true}
	require.NoError(t, r.put(t.Context(), newLine("x", 1,
		&mailer.Receipt{InviteID: "a\x1b[2J", Recipient: "ada@example.com", Kind: mailer.Invitation,
			Outcome: mailer.Sent})))
	assert.Equal(t, "sent       invitation    a\\x1b[2J                  ada@example.com                 \n",
		w.String())
	assert.Equal(t, "\r\x1b[K", bar.String(), "the progress bar is wiped away first")
	require.NoError(t, r.put(t.Context(), newLine("x", 2, &mailer.Receipt{
		InviteID: "b", Recipient: "ada@example.com", Kind: mailer.None, Outcome: mailer.Invalid,
		Error: &mailer.Error{Stage: mailer.StageRead, Field: "event.end", Message: "is missing\x1b[2J"},
	})))
	assert.Contains(t, w.String(), "invalid    none          b                         "+
		"ada@example.com                   "+
		""+
		""+
		"read: event.end: is missing\\x1b[2J\n")
	assert.EqualValues(t, 2, w.writes.Load(), "each at once")
}

// TestBrokenOutputIsToldOnce: the run is asked to stop, and writing ends.
func TestBrokenOutputIsToldOnce(t *testing.T) {
	t.Parallel()
	w := &countingWriter{err: errors.New("broken pipe")}
	r, stopped := resultsTo(t, w, false)
	require.Error(t, r.put(t.Context(), newLine("", 0, &mailer.Receipt{})))
	require.ErrorIs(t, stopped.Err(), context.Canceled)
	require.Error(t, r.put(t.Context(), newLine("", 0, &mailer.Receipt{})))
	require.Error(t, r.failed())
	assert.EqualValues(t, 1, w.writes.Load())
}

// BenchmarkResults is what a line of output costs.
func BenchmarkResults(b *testing.B) {
	b.ReportAllocs()
	r, _ := resultsTo(b, io.Discard, false)
	sequence := 0
	l := newLine("invites.jsonl", 1, &mailer.Receipt{
		InviteID: "x", Recipient: "ada@example.com", Outcome: mailer.Sent, Sequence: &sequence, At: time.Unix(0, 0),
	})
	for b.Loop() {
		if err := r.put(b.Context(), l); err != nil {
			b.Fatal(err)
		}
	}
}

// TestLongNamesAreShownInPart: a record that is wrong may have an id and an address
// of any length, and neither fills a terminal or a log.
func TestLongNamesAreShownInPart(t *testing.T) {
	t.Parallel()
	l := line{InviteID: strings.Repeat("i", 100_000), Recipient: "ann@" + strings.Repeat("e", 100_000),
		Error: &mailer.Error{Message: "wrong"}}
	assert.Less(t, len(l.columns()), 1000)
	assert.Less(t, len((&entryLine{line: l}).columns()), 1000)
	var log strings.Builder
	b := &batch{setup: &setup{log: slog.New(slog.NewTextHandler(&log, nil))}}
	b.logResult(&l)
	assert.Contains(t, log.String(), "wrong")
	assert.Less(t, log.Len(), 1000)
}
