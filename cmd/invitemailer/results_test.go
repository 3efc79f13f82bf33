package main

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

func direct(f func()) { f() }

// TestResultNames pins the names of a result line and their order: programs
// read them.
func TestResultNames(t *testing.T) {
	t.Parallel()
	sequence := 2
	l := newLine("invites.jsonl", 7, &mailer.Receipt{
		InviteID: "board-meeting", Recipient: "ada@example.com", Method: mailer.Request, Kind: mailer.Update, Outcome: mailer.Failed, Known: true,
		UID: "uid", Sequence: &sequence, MessageID: "<id@example.com>", Reply: "550 5.1.1 no such user", Attempts: 3,
		At:       time.Date(2027, 4, 29, 9, 30, 0, 123456789, time.FixedZone("", 3600)),
		Findings: []mailer.Finding{{Rule: "IM38", Level: lint.Warning, Field: "event.end", Message: "odd"}},
		Error:    &mailer.Error{Stage: mailer.StageSubmit, Code: mailer.CodeSMTPRefused, Field: "recipient.email", Message: "refused"},
	})
	l.EML = "out/x.eml"
	w := &countingWriter{}
	r := newResults(w, false, direct, func() {})
	r.put(l)
	require.NoError(t, r.close())
	assert.Equal(t, `{"file":"invites.jsonl","line":7,"smart_invite_id":"board-meeting","recipient":"ada@example.com","method":"request","kind":"update",`+
		`"outcome":"failed","known":true,"uid":"uid","sequence":2,"message_id":"<id@example.com>","smtp_reply":"550 5.1.1 no such user","attempts":3,`+
		`"at":"2027-04-29T08:30:00.123Z","findings":[{"rule":"IM38","level":"warning","field":"event.end","message":"odd"}],"eml":"out/x.eml",`+
		`"error":{"stage":"submit","code":"smtp_refused","field":"recipient.email","message":"refused"}}`+"\n", w.String())
}

// TestResultsAreBufferedButNotHeldBack: fast results share a write, and a slow
// one is not kept waiting for the next.
func TestResultsAreBufferedButNotHeldBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &countingWriter{}
		r := newResults(w, false, direct, func() {})
		for range 100 {
			r.put(newLine("", 0, &mailer.Receipt{Outcome: mailer.Sent}))
		}
		synctest.Wait()
		assert.Zero(t, w.writes.Load())
		time.Sleep(flushAfter)
		synctest.Wait()
		assert.EqualValues(t, 1, w.writes.Load())
		assert.Equal(t, 100, strings.Count(w.String(), "\n"))
		r.put(newLine("", 0, &mailer.Receipt{Outcome: mailer.Sent}))
		time.Sleep(flushAfter)
		synctest.Wait()
		assert.EqualValues(t, 2, w.writes.Load())
		require.NoError(t, r.close())
		assert.Equal(t, 101, strings.Count(w.String(), "\n"))
	})
}

// TestColumns: people see one line each at once, with nothing in it that could
// move their cursor.
func TestColumns(t *testing.T) {
	t.Parallel()
	w := &countingWriter{}
	around := 0
	r := newResults(w, true, func(f func()) { around++; f() }, func() {})
	r.put(newLine("x", 1, &mailer.Receipt{InviteID: "a\x1b[2J", Recipient: "ada@example.com", Kind: mailer.Invitation, Outcome: mailer.Sent}))
	assert.Equal(t, "sent       invitation    a\\x1b[2J                  ada@example.com                 \n", w.String())
	r.put(newLine("x", 2, &mailer.Receipt{InviteID: "b", Recipient: "ada@example.com", Kind: mailer.None, Outcome: mailer.Invalid,
		Error: &mailer.Error{Stage: mailer.StageRead, Field: "event.end", Message: "is missing\x1b[2J"}}))
	assert.Contains(t, w.String(), "invalid    none          b                         ada@example.com                   read: event.end: is missing\\x1b[2J\n")
	assert.Equal(t, 2, around)
}

// TestBrokenOutputIsToldOnce: the run is asked to stop, and writing ends.
func TestBrokenOutputIsToldOnce(t *testing.T) {
	t.Parallel()
	w := &countingWriter{err: errors.New("broken pipe")}
	broken := 0
	r := newResults(w, false, direct, func() { broken++ })
	r.put(newLine("", 0, &mailer.Receipt{}))
	require.Error(t, r.flush())
	r.put(newLine("", 0, &mailer.Receipt{}))
	require.Error(t, r.close())
	assert.Equal(t, 1, broken)
	assert.EqualValues(t, 1, w.writes.Load())
}

// BenchmarkResults is what a line of output costs.
func BenchmarkResults(b *testing.B) {
	b.ReportAllocs()
	r := newResults(&countingWriter{err: nil}, false, direct, func() {})
	sequence := 0
	l := newLine("invites.jsonl", 1, &mailer.Receipt{InviteID: "x", Recipient: "ada@example.com", Outcome: mailer.Sent, Sequence: &sequence, At: time.Unix(0, 0)})
	for b.Loop() {
		r.put(l)
	}
	if err := r.close(); err != nil {
		b.Fatal(err)
	}
}

// TestLongNamesAreShownInPart: a record that is wrong may have an id and an address
// of any length, and neither fills a terminal or a log.
func TestLongNamesAreShownInPart(t *testing.T) {
	t.Parallel()
	l := line{InviteID: strings.Repeat("i", 100_000), Recipient: "ann@" + strings.Repeat("e", 100_000), Error: &mailer.Error{Message: "wrong"}}
	assert.Less(t, len(l.columns()), 1000)
	assert.Less(t, len((&entryLine{line: l}).columns()), 1000)
	var log strings.Builder
	b := &batch{log: slog.New(slog.NewTextHandler(&log, nil))}
	b.tell(&l)
	assert.Contains(t, log.String(), "wrong")
	assert.Less(t, log.Len(), 1000)
}
