package mailer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/templates"
)

// deliver mails what is on record or was received for recipient i, and ends it.
// It reports whether a mail was begun.
func (w *work) deliver(ctx context.Context, i int) bool {
	s := w.steps[i]
	if ctx.Err() != nil {
		// Nothing is recorded: what is on record still says how things stand.
		w.end(i, Deferred, interrupted(ctx, StageCompose))
		return false
	}
	if s.action == repeat {
		kept := w.entries[i].Latest
		if kept.Message == nil {
			w.end(i, Failed, &Error{Stage: StageLedger, Code: CodeLedgerUnusable,
				Message: "the ledger has no message to repeat although its end is unknown; use --resend to compose it anew"})
			return false
		}
		return w.submit(ctx, i, &ledger.Submission{MessageID: kept.MessageID, FromName: kept.FromName, FromEmail: kept.FromEmail,
			Resend: kept.Resend, Kind: kept.Kind, Message: *kept.Message})
	}
	c := w.received[i]
	if s.action == compose {
		stored, err := w.m.readCalendar(string(w.entries[i].Latest.Calendar))
		if err != nil {
			w.conclude(ctx, i, Failed, &Error{Stage: StageCalendar, Code: CodeUnreadable, Err: err,
				Message: "the iCalendar text on record cannot be read: " + err.Error() + "; run again to ask for it anew"}, "")
			return false
		}
		c = stored
	}
	if c.RecurrenceRule == "" && !c.Floating {
		if w.policy().over(c.End) {
			w.expire(ctx, i)
			return false
		}
		w.warnPast(i, c.End)
	}
	w.tellOtherEvent(i, c)
	sub, problem := w.compose(ctx, i, c)
	if problem == nil {
		ended := w.observe(ctx, Event{Stage: StageCheck})
		problem = w.check(i, sub)
		ended(problem)
	}
	if problem != nil {
		w.conclude(ctx, i, Failed, problem, "")
		return false
	}
	return w.submit(ctx, i, sub)
}

// compose words and composes the mail for recipient i.
func (w *work) compose(ctx context.Context, i int, c *calendar.Calendar) (*ledger.Submission, *Error) {
	from, problem := w.from(i)
	if problem != nil {
		return nil, problem
	}
	to := w.to[i]
	if to.Name == "" {
		to.Name = attendeeName(c, to)
	}
	replyTo := w.replyTo
	if o := w.inviter(); !isSet(replyTo) && isSet(o) && o.Address.Key() != from.Address.Key() {
		replyTo = o
	}
	ended := w.observe(ctx, Event{Stage: StageRender})
	words, problem := w.words(i, c, from, to, replyTo)
	ended(problem)
	if problem != nil {
		return nil, problem
	}
	s := w.steps[i]
	id := message.ID(w.ID, w.keys[i].Address, c.Method, c.Sum(), s.resend, from.Address.Domain())
	msg := message.Message{
		From: from, To: to, Subject: words.Subject, Text: words.Text, HTML: words.HTML,
		Calendar: c.Bytes(), Method: c.Method, Date: w.m.cfg.Now(), MessageID: id,
	}
	if isSet(replyTo) {
		msg.ReplyTo = &replyTo
	}
	if first := w.entries[i].FirstMessageID; first != "" && first != id {
		msg.InReplyTo, msg.References = first, []string{first}
	}
	ended = w.observe(ctx, Event{Stage: StageCompose})
	composed, err := message.Compose(msg)
	if err != nil {
		problem = &Error{Stage: StageCompose, Code: CodeCompose, Err: err, Message: err.Error()}
	}
	ended(problem)
	if problem != nil {
		return nil, problem
	}
	w.receipts[i].MessageID = id
	envelopeFrom := composed.From
	if !w.m.envelopeFrom.IsZero() {
		envelopeFrom = w.m.envelopeFrom.String()
	}
	return &ledger.Submission{MessageID: id, FromName: from.Name, FromEmail: from.Address.String(), Resend: s.resend, Kind: s.kind,
		Message: ledger.Message{From: envelopeFrom, To: composed.To, SMTPUTF8: composed.SMTPUTF8, Bytes: composed.Bytes}}, nil
}

// from says who the mail is from: the settings, else the organizer of the
// record, else who the invite was sent by before. Never an address that only
// the calendar names.
func (w *work) from(i int) (message.Mailbox, *Error) {
	if isSet(w.m.from) {
		return w.m.from, nil
	}
	from := w.organizer
	if before := w.entries[i].LastSent; before != nil && before.FromEmail != "" && (!isSet(from) || w.Method != Request && w.organizerDefault) {
		o, err := Organizer{before.FromName, before.FromEmail}.mailbox()
		if err == nil {
			from = o
		}
	}
	if !isSet(from) {
		return from, &Error{Stage: StageCompose, Code: CodeInvalid, Field: "organizer.email",
			Message: "nobody is known to send the mail: name the organizer in the record, or set ORGANIZER_EMAIL or MAIL_FROM"}
	}
	if !w.m.fromAllowed(from.Address) {
		return from, senderNotAllowed(from.Address)
	}
	return from, nil
}

// inviter is the organizer as far as it is known who that is: a cancellation may
// name nobody, and then the default is not who invited.
func (w *work) inviter() message.Mailbox {
	if w.Method != Request && w.organizerDefault {
		return message.Mailbox{}
	}
	return w.organizer
}

func attendeeName(c *calendar.Calendar, to message.Mailbox) string {
	for _, a := range c.Attendees {
		if strings.EqualFold(a.Email, to.Address.String()) && !strings.Contains(a.Name, "@") {
			return a.Name
		}
	}
	return ""
}

// words asks the templates for subject, text and HTML. They speak of what the
// calendar says, so that the mail and the event cannot differ.
func (w *work) words(i int, c *calendar.Calendar, from, to, replyTo message.Mailbox) (templates.Content, *Error) {
	s := w.steps[i]
	f := w.facts(c)
	d := templates.Data{
		Lang: w.locale(i), Summary: f.Summary, Description: f.Description,
		Start: f.Start, End: f.End, AllDay: f.AllDay, TZID: f.TZID,
		Location: f.Location, URL: c.URL,
		Organizer: templates.Person{Name: from.Name, Email: from.Address.String()},
		Recipient: templates.Person{Name: to.Name, Email: to.Address.String()},
		Data:      w.Mail.Data,
	}
	if o := w.inviter(); isSet(o) {
		d.Organizer = templates.Person{Name: o.Name, Email: o.Address.String()}
	}
	if zone := w.Recipients[i].TZID; zone != "" {
		d.Zone, _ = w.m.zones.Load(zone) // it was checked with the rest of the record
	}
	if isSet(replyTo) {
		d.ReplyTo = replyTo.Address.String()
	}
	if before := w.entries[i].LastSent; before != nil && (s.kind == Update || d.Summary == "" || d.Start.IsZero()) {
		if old, err := w.m.readCalendar(string(before.Calendar)); err == nil {
			if s.kind == Update {
				d.Changes = templates.Changes(w.facts(old), f)
			}
			if d.Summary == "" { // a cancellation need not repeat what it cancels
				d.Summary = old.Summary
			}
			if d.Start.IsZero() {
				f := w.facts(old)
				d.Start, d.End, d.AllDay, d.TZID = f.Start, f.End, f.AllDay, f.TZID
			}
		}
	}
	words, err := w.templates.Render(templates.Kind(s.kind), d)
	if err != nil {
		return words, &Error{Stage: StageRender, Code: CodeTemplate, Err: err, Message: err.Error()}
	}
	if w.Mail.Subject != "" {
		words.Subject = w.Mail.Subject
	}
	return words, nil
}

func (w *work) locale(i int) string {
	for _, l := range []string{w.Recipients[i].Locale, w.Mail.Locale} {
		if l != "" {
			return l
		}
	}
	return w.m.cfg.Locale
}

// submit records that the mail is about to leave, hands it over, records how
// that ended, and ends recipient i. It reports whether a mail was begun.
func (w *work) submit(ctx context.Context, i int, sub *ledger.Submission) bool {
	// Not before it is its turn is a mail recorded as one that may have left.
	leave, problem := w.pass(ctx, StageSubmit, func(r *run) gate { return r.mails })
	if problem != nil {
		w.end(i, Deferred, problem)
		return false
	}
	defer leave() // once its outcome is on record
	recording, cancel := finishing(ctx)
	defer cancel()
	waitCtx, done := w.run.until(recording)
	defer done()
	if w.ledger != nil {
		if err := w.ledger.Submitting(waitCtx, w.claim, w.keys[i], *sub); err != nil {
			w.end(i, Deferred, w.notRecorded(ctx, waitCtx, err))
			return false
		}
	}
	r := &w.receipts[i]
	r.MessageID = sub.MessageID
	r.Attempts++
	envelope := submission.Envelope{From: sub.Message.From, To: sub.Message.To, SMTPUTF8: sub.Message.SMTPUTF8}
	copies, since := w.copies(i)
	ended := w.observe(ctx, Event{Stage: StageSubmit})
	result := w.submitter.Submit(w.observingWaits(ctx, StageSubmit), envelope, sub.Message.Bytes)
	outcome, problem := w.judge(ctx, i, sub, result)
	ended(problem)
	said := "the SMTP server took the mail"
	if problem != nil {
		said = problem.Message
	}
	refused := outcome == Failed && problem.Permanent
	notLeft := false
	if w.steps[i].action == repeat && outcome != Sent && outcome != Unknown && !refused {
		// An earlier copy may have left all the same, and its bytes must be kept
		// for a repeat that can be told from another mail.
		outcome, notLeft = Unknown, true
		problem.Message = "this repeat did not leave, and whether an earlier copy did is not known: " + problem.Message
		w.unknown(problem, copies-1, since)
	} else if outcome == Unknown {
		w.unknown(problem, copies, since)
	}
	if outcome == Unknown {
		w.run.setUnknown(w.keys[i])
	}
	r.Reply = result.Reply
	w.end(i, outcome, problem)
	if err := w.finish(ctx, i, outcome, problem, notLeft); err != nil {
		w.m.log.Error("the outcome of an invite could not be recorded", "invite", w.ID, "outcome", string(outcome), "error", err)
		// On record the mail is about to leave, which every later run takes for an
		// unknown end, however it ended in truth.
		err.Message = fmt.Sprintf("%s; that could not be recorded (%v), so that on record the mail may have left", said, err.Err)
		w.unknown(err, copies, since)
		w.run.setUnknown(w.keys[i])
		w.end(i, Unknown, err)
	}
	return result.Outcome != submission.NotBegun
}

// submitted says in the pipeline's terms how a submission ended, as far as its
// own reply tells.
func submitted(ctx context.Context, r submission.Result) (Outcome, *Error) {
	e := &Error{Stage: StageSubmit, Err: r.Err, Temporary: r.Temporary}
	if r.Err != nil {
		e.Message = r.Err.Error()
	}
	switch r.Outcome {
	case submission.Accepted:
		return Sent, nil
	case submission.Unknown:
		e.Code, e.Temporary = CodeNoReply, true
		e.Message = "the mail may have left, and the SMTP server's answer did not come: " + e.Message
		return Unknown, e
	}
	switch {
	case r.Config:
		e.Code, e.StopsRun = CodeSMTPConfig, true
		return Deferred, e
	case ctx.Err() != nil && r.Outcome == submission.NotBegun:
		return Deferred, interrupted(ctx, StageSubmit)
	case errors.Is(r.Err, submission.ErrClosed):
		// No server has said anything, and this Submitter will never do better.
		e.Code = CodeNotBegun
		return Deferred, e
	case r.Temporary:
		e.Code = CodeSMTPTemporary
		return Deferred, e
	}
	e.Code = CodeSMTPRefused
	switch {
	case r.Cause == submission.CauseMailbox, r.Cause == submission.CauseContent:
		e.Permanent = true
	case r.Cause == submission.CauseQuota:
		e.Code = CodeSMTPTemporary
		return Deferred, e
	case r.Cause.Ours():
		e.Code = CodeSMTPConfig
		return Deferred, e
	}
	return Failed, e
}

// conclude ends recipient i without a submission in this run, and records how. If
// that cannot be recorded, the next run comes to the same end.
func (w *work) conclude(ctx context.Context, i int, o Outcome, problem *Error, reply string) {
	w.receipts[i].Reply = reply
	w.end(i, o, problem)
	if err := w.finish(ctx, i, o, problem, false); err != nil {
		if o != Unknown {
			o = Deferred
		}
		w.end(i, o, err)
	}
}

// finish records the outcome of recipient i. With notLeft, it is unknown for an
// earlier submission and not for this one.
func (w *work) finish(ctx context.Context, i int, o Outcome, problem *Error, notLeft bool) *Error {
	if w.ledger == nil {
		return nil
	}
	state := map[Outcome]ledger.State{Sent: ledger.Sent, Failed: ledger.Failed, Deferred: ledger.Deferred, Unknown: ledger.Unknown, Expired: ledger.Expired}[o]
	out := ledger.Result{State: state, Reply: w.receipts[i].Reply, NotLeft: notLeft}
	if problem != nil {
		out.Permanent, out.Stage, out.Code, out.Detail = problem.Permanent, problem.Stage, problem.Code, problem.Message
		out.Unusable = problem.Stage == StageCalendar || problem.unusable
	}
	ctx, cancel := finishing(ctx)
	defer cancel()
	if err := w.ledger.Finish(ctx, w.claim, w.keys[i], out); err != nil {
		return ledgerError(ctx, err)
	}
	return nil
}
