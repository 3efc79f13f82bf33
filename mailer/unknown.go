package mailer

import (
	"fmt"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// The bounds of repeating a mail whose end is unknown while nobody has decided
// about it. A server that loses its answer once may lose it always, and from cron
// every run would put another copy into the same mailbox. Both waits count from
// the first submission: a greylisting server or a restart is over after the one,
// a longer disturbance after the other.
const (
	maxCopies    = 3
	secondCopyAt = 20 * time.Minute
	thirdCopyAt  = 60 * time.Minute
)

// follows says what becomes of a mail of which that many copies may have left, the
// first of them at that time: when the same bytes may leave again, or, if final,
// that a person has to decide. The advice says so to people.
func (p policy) follows(copies int, first time.Time) (due time.Time, final bool, advice string) {
	const ask = "; ask the recipient, then repeat it with OnUnknown resend or with Resend, if need be"
	switch {
	case p.onUnknown == OnUnknownNever:
		return time.Time{}, true, "OnUnknown is never, so it is not repeated" + ask
	case p.onUnknown == OnUnknownResend:
		return time.Time{}, false, "run again to repeat the same mail"
	case copies >= maxCopies:
		return time.Time{}, true, fmt.Sprintf("it was submitted %d times, so it is not repeated", copies) + ask
	case copies == 2:
		due = first.Add(thirdCopyAt)
	default:
		due = first.Add(secondCopyAt)
	}
	return due, false, "the same mail is repeated by a run at or after " + due.UTC().Format(time.RFC3339)
}

// doubtful decides for content whose mail may have left without an answer. What
// the record does not say yet is noted there: that a crash cut the mail short, and
// that a person was asked to decide.
func doubtful(r *ledger.Revision, p policy, over bool) step {
	due, final, advice := p.follows(r.Copies, r.FirstSubmittedAt)
	e := &Error{Stage: StageSubmit, Code: CodeHeld}
	switch {
	case over:
		advice = "the event is over, so it is not repeated"
	case p.resend, !final && !p.now.Before(due):
		again := step{action: repeat, kind: r.Kind, resend: r.Resend}
		if r.Message == nil && len(r.Calendar) > 0 {
			again.action = compose
		}
		return again
	case !final:
		e.Code, e.Temporary, e.RetryAfter = CodeWaiting, true, due.Sub(p.now)
	}
	e.Message = "it is not known whether the mail left; " + advice
	s := refuse(Unknown, e)
	s.known = e.Code == CodeHeld && r.Code == CodeHeld
	if r.State == ledger.Submitting || e.Code == CodeHeld && !s.known {
		s.action, s.kind = note, r.Kind
	}
	return s
}

// copies is how many copies of the mail for recipient i may have left once one
// more was submitted, and when the first of them was.
func (w *work) copies(i int) (n int, first time.Time) {
	if r := w.entries[i].Latest; r != nil && w.steps[i].action != ask && (r.State == ledger.Unknown || r.State == ledger.Submitting) {
		return r.Copies + 1, r.FirstSubmittedAt
	}
	return 1, w.m.cfg.Now()
}

// unknown completes the error of a mail of which that many copies may have left:
// what follows, and whether a person has to decide.
func (w *work) unknown(e *Error, copies int, first time.Time) {
	_, final, advice := w.m.policy.follows(copies, first)
	switch {
	case w.ledger == nil:
		final, advice = false, "no ledger remembers it, so ask the recipient before it is sent again"
	case final && e.Code == CodeNoReply:
		e.Code = CodeHeld
	}
	e.Temporary = !final
	e.Message += "; " + advice
}
