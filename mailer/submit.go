package mailer

import (
	"context"
	"errors"
	"fmt"

	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// deliver mails what is on record or was received for a recipient, and ends it. It reports whether a
// mail was begun.
func (j *job) deliver(ctx context.Context, to *recipient) bool {
	if ctx.Err() != nil {
		// Nothing is recorded: what is on record still says how things stand.
		j.end(to, Deferred, interrupted(ctx, StageCompose))
		return false
	}
	if to.plan.action == resubmit {
		kept := to.entry.Latest
		if kept.Message == nil {
			j.end(to, Failed, &Error{Stage: StageLedger, Code: CodeLedgerUnusable,
				Message: "the ledger has no message to repeat although its end is unknown; " +
					"use Config.Resend to compose it anew"})
			return false
		}
		return j.submit(ctx, to, &ledger.Submission{MessageID: kept.MessageID, FromName: kept.FromName,
			FromEmail: kept.FromEmail, Resend: kept.Resend, Kind: kept.Kind, Message: *kept.Message})
	}
	c := to.calendar
	if to.plan.action == mailStored {
		stored, err := calendar.Read(string(to.entry.Latest.Calendar))
		if err != nil {
			j.fail(ctx, to, &Error{Stage: StageCalendar, Code: codeUnreadable, Err: err,
				Message: fmt.Sprintf("the iCalendar text on record cannot be read: %v; "+
					"run again to ask for it anew", err)})
			return false
		}
		c = stored
	}
	if c.RecurrenceRule == "" && !c.Floating {
		if j.m.policy().over(c.End) {
			j.expire(ctx, to)
			return false
		}
		j.warnPast(to, c.End)
	}
	j.warnOtherEvent(to, c)
	sub, problem := j.compose(ctx, to, c)
	if problem == nil {
		ended := j.observe(ctx, Event{Stage: StageCheck})
		problem = j.check(to, sub)
		ended(problem)
	}
	if problem != nil {
		j.fail(ctx, to, problem)
		return false
	}
	return j.submit(ctx, to, sub)
}

// fail ends a recipient before its mail was submitted, and records that.
func (j *job) fail(ctx context.Context, to *recipient, problem *Error) {
	to.receipt.Reply = ""
	j.conclude(ctx, to, Failed, problem)
}

// submit records that the mail is about to leave, hands it over, records how that ended, and ends the
// recipient. It reports whether a mail was begun.
func (j *job) submit(ctx context.Context, to *recipient, sub *ledger.Submission) bool {
	// Not before it is its turn is a mail recorded as one that may have left.
	leave, problem := j.pass(ctx, StageSubmit, j.run.mails)
	if problem != nil {
		j.end(to, Deferred, problem)
		return false
	}
	defer leave() // once its outcome is on record
	if problem := j.recordSubmitting(ctx, to, sub); problem != nil {
		j.end(to, Deferred, problem)
		return false
	}
	to.receipt.MessageID = sub.MessageID
	to.receipt.Attempts++
	copies, since := j.copies(to)
	envelope := submission.Envelope{From: sub.Message.From, To: sub.Message.To, SMTPUTF8: sub.Message.SMTPUTF8}
	ended := j.observe(ctx, Event{Stage: StageSubmit})
	result := j.run.submitter.Submit(j.observingWaits(ctx, StageSubmit), envelope, sub.Message.Bytes)
	outcome, problem := j.judge(ctx, to, sub, result)
	ended(problem)
	said := "the SMTP server took the mail"
	if problem != nil {
		said = problem.Message
	}
	refused := outcome == Failed && problem.Permanent
	notLeft := to.plan.action == resubmit && outcome != Sent && outcome != Unknown && !refused
	switch {
	case notLeft:
		// An earlier copy may have left all the same, and its bytes must be kept for a repeat.
		outcome = Unknown
		problem.Message = "this repeat did not leave, and whether an earlier copy did is not known: " + problem.Message
		j.completeUnknown(problem, copies-1, since)
	case outcome == Unknown:
		j.completeUnknown(problem, copies, since)
	}
	to.receipt.Reply = result.Reply
	j.end(to, outcome, problem)
	if failed := j.recordResult(ctx, to, outcome, problem, notLeft); failed != nil {
		j.m.log.Error("the outcome of an invite could not be recorded",
			"invite", j.ID, "outcome", outcome, "error", failed)
		// On record the mail is about to leave, which every later run takes for an unknown end.
		failed.Message = fmt.Sprintf("%s; that could not be recorded (%v), so that on record the mail may have left",
			said, failed.Err)
		j.completeUnknown(failed, copies, since)
		j.end(to, Unknown, failed)
	}
	if to.receipt.Outcome == Unknown {
		j.run.unknown.Store(to.key, true)
	}
	return result.Outcome != submission.NotBegun
}

func (j *job) recordSubmitting(ctx context.Context, to *recipient, sub *ledger.Submission) *Error {
	if j.ledger == nil {
		return nil
	}
	recording, cancel := finishing(ctx)
	defer cancel()
	waitCtx, done := j.run.until(recording)
	defer done()
	if err := j.ledger.Submitting(waitCtx, j.claim, to.key, *sub); err != nil {
		return j.notRecorded(ctx, waitCtx, err)
	}
	return nil
}

// submitted says how a submission ended, as far as its own reply tells.
func submitted(ctx context.Context, r submission.Result) (Outcome, *Error) {
	e := &Error{Stage: StageSubmit, Err: r.Err, Temporary: r.Temporary}
	if r.Err != nil {
		e.Message = r.Err.Error()
	}
	switch {
	case r.Outcome == submission.Accepted:
		return Sent, nil
	case r.Outcome == submission.Unknown:
		e.Code, e.Temporary = CodeNoReply, true
		e.Message = "the mail may have left, and the SMTP server's answer did not come: " + e.Message
		return Unknown, e
	case r.Config:
		e.Code, e.StopsRun = CodeSMTPConfig, true
	case ctx.Err() != nil && r.Outcome == submission.NotBegun:
		e = interrupted(ctx, StageSubmit)
	case errors.Is(r.Err, submission.ErrClosed):
		e.Code = CodeNotBegun
	case r.Temporary, r.Cause == submission.CauseQuota:
		e.Code = CodeSMTPTemporary
	case r.Cause.Ours():
		e.Code = CodeSMTPConfig
	default:
		e.Code = CodeSMTPRefused
		e.Permanent = r.Cause == submission.CauseMailbox || r.Cause == submission.CauseContent
		return Failed, e
	}
	return Deferred, e
}
