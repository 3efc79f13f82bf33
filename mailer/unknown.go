package mailer

import (
	"fmt"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// OnUnknown is what a later run does with a mail whose end is unknown.
type OnUnknown string

// The choices for an unknown end (RFC 1047). With the zero value the same bytes leave again, with the
// same Message-ID: twice at most, and not before 20 and 60 minutes after the first submission. An
// earlier run submits nothing (CodeWaiting); after the third submission, a person has to decide
// (CodeHeld).
const (
	// OnUnknownResend is that decision: the same bytes again, at once. As a setting that stays, it
	// repeats the mail in every run that gets no answer.
	OnUnknownResend OnUnknown = "resend"
	// OnUnknownNever repeats nothing of which it is not known whether it left.
	OnUnknownNever OnUnknown = "never"
)

// formerNever is what OnUnknownNever was called. It is to go with the release after the next.
const formerNever OnUnknown = "hold"

// The bounds of repeating a mail whose end is unknown while no person has decided about it: a server
// that loses its answer once may lose it always, and every run from cron would put another copy into
// the same mailbox. Both waits count from the first submission: greylisting or a restart is over
// after the one, a longer disturbance after the other.
const (
	maxCopies    = 3
	secondCopyAt = 20 * time.Minute
	thirdCopyAt  = 60 * time.Minute
)

// follows says what becomes of a mail of which that many copies may have left, the first of them at
// that time: when the same bytes may leave again, or, if final, that a person has to decide.
func (p policy) follows(copies int, first time.Time) (due time.Time, final bool, advice string) {
	const decide = "; ask the recipient, then repeat it with Config.OnUnknown=resend or with Config.Resend, if need be"
	switch {
	case p.OnUnknown == OnUnknownNever:
		return time.Time{}, true, "Config.OnUnknown is never, so it is not repeated" + decide
	case p.OnUnknown == OnUnknownResend:
		return time.Time{}, false, "run again to repeat the same mail"
	case copies >= maxCopies:
		return time.Time{}, true, fmt.Sprintf("it was submitted %d times, so it is not repeated", copies) + decide
	case copies == 2:
		due = first.Add(thirdCopyAt)
	default:
		due = first.Add(secondCopyAt)
	}
	return due, false, "the same mail is repeated by a run at or after " + due.UTC().Format(time.RFC3339)
}

// decideUnknown decides for content whose mail may have left without an answer. What the record does
// not say yet is recorded: that a crash cut the mail short, and that a person was asked to decide.
func decideUnknown(r *ledger.Revision, p policy, over bool) plan {
	due, final, advice := p.follows(r.Copies, r.FirstSubmittedAt)
	e := &Error{Stage: StageSubmit, Code: CodeHeld}
	switch {
	case over:
		advice = "the event is over, so it is not repeated"
	case p.Resend, !final && !p.now.Before(due):
		if r.Message == nil && len(r.Calendar) > 0 {
			return plan{action: mailStored, kind: r.Kind, resend: r.Resend}
		}
		return plan{action: resubmit, kind: r.Kind, resend: r.Resend}
	case !final:
		e.Code, e.Temporary, e.RetryAfter = CodeWaiting, true, due.Sub(p.now)
	}
	e.Message = "it is not known whether the mail left; " + advice
	d := refuse(Unknown, e)
	d.known = e.Code == CodeHeld && r.Code == CodeHeld
	if r.State == ledger.Submitting || e.Code == CodeHeld && !d.known {
		d.action, d.kind = recordOnly, r.Kind
	}
	return d
}

// copies is how many copies of the mail for a recipient may have left once one more was submitted,
// and when the first of them was.
func (j *job) copies(to *recipient) (n int, first time.Time) {
	r := to.entry.Latest
	if r != nil && to.plan.action != createAndMail && (r.State == ledger.Unknown || r.State == ledger.Submitting) {
		return r.Copies + 1, r.FirstSubmittedAt
	}
	return 1, j.m.cfg.Now()
}

// completeUnknown adds to the error of a mail of which that many copies may have left what follows,
// and whether a person has to decide.
func (j *job) completeUnknown(e *Error, copies int, first time.Time) {
	_, final, advice := j.m.policy().follows(copies, first)
	switch {
	case j.ledger == nil:
		final, advice = false, "no ledger remembers it, so ask the recipient before it is sent again"
	case final && e.Code == CodeNoReply:
		e.Code = CodeHeld
	}
	e.Temporary = !final
	e.Message += "; " + advice
}
