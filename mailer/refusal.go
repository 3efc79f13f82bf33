package mailer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

const (
	// recently is how far back an accepted mail tells that a server takes mail
	// from a sender.
	recently = 10 * time.Minute
	// alike is after how many refusals in a row a run stops, or asks about the
	// sender: one may be about a recipient, a record's organizer or its text.
	alike = 3
)

// prober is a Submitter that can ask about a sender without a message;
// *submission.Submitter is one.
type prober interface {
	Probe(ctx context.Context, env submission.Envelope) (reply string, err error)
}

// attempt is one submission, as others are judged by it.
type attempt struct {
	key        ledger.Key
	messageID  string
	sender     sender
	connection int // of the Submitter; 0 if not known
}

// sender is who a mail is from, on the envelope and in the message: a server may
// look at either.
type sender struct{ envelope, from string }

func (a attempt) domain() string {
	return a.key.Address[strings.LastIndexByte(a.key.Address, '@')+1:]
}

// judge says how a submission ended. Where the reply to one mail leaves open
// whether its recipient or we are refused, it asks what became of others.
func (w *work) judge(ctx context.Context, i int, sub *ledger.Submission, r submission.Result) (Outcome, *Error) {
	if stopped := w.run.cause(); stopped != nil && errors.Is(r.Err, submission.ErrStopped) {
		return Deferred, notBegun(StageSubmit, stopped)
	}
	o, e := submitted(ctx, r)
	a := attempt{key: w.keys[i], messageID: sub.MessageID, sender: sender{sub.Message.From, sub.FromEmail}, connection: r.Connection}
	now := w.m.cfg.Now()
	switch {
	case r.Outcome == submission.Accepted:
		w.m.accepted.add(a, now)
		w.run.accept(a)
		return o, e
	case r.Outcome != submission.Refused, r.Temporary, e.StopsRun:
		return o, e
	case r.Cause == submission.CauseMailbox, r.Cause == submission.CauseContent:
		w.run.refusedClearly()
		return o, e
	case r.LoginUnused && !w.run.hasAccepted() && !w.m.accepted.any(now.Add(-recently)):
		return stopFor(e, "the server offers a login, and none is set: set Username and Password")
	case r.Cause.Ours():
		if n, _ := w.run.refused(string(r.Cause), a.domain()); w.run == nil || n >= alike {
			e.StopsRun, e.Temporary = true, r.Cause == submission.CauseQuota
		}
		return o, e
	case r.Cause == submission.CausePolicy && w.m.accepted.other(a, time.Time{}, true),
		w.run == nil && r.Cause != submission.CausePolicy && w.m.accepted.other(a, now.Add(-recently), false):
		e.Permanent = true
		return o, e
	case w.run == nil:
		return o, e
	}
	return w.weigh(ctx, sub, r, refusal{attempt: a, said: said(r), policy: r.Cause == submission.CausePolicy}, e)
}

// said is what refusals have to have in common to be alike.
func said(r submission.Result) string { return fmt.Sprintf("%d %s", r.Code, r.EnhancedCode) }

// weigh holds a refusal that says nothing clear against the others of its run.
// After recipients of three domains were refused alike, the server is asked
// about the sender: is that refused too, it is not the recipients' fault.
func (w *work) weigh(ctx context.Context, sub *ledger.Submission, r submission.Result, f refusal, e *Error) (Outcome, *Error) {
	_, domains := w.run.refused(f.said, f.domain())
	if domains < alike || !w.run.beginAsking() {
		w.run.doubt(f)
		return Failed, e
	}
	err := w.askAboutSender(ctx, sub, r)
	w.run.endAsking(f, err == nil)
	var answer *submission.Error
	switch {
	case err == nil:
		e.Permanent = true
		return Failed, e
	case ctx.Err() != nil, errors.Is(err, submission.ErrStopped):
		w.run.doubt(f)
		return Failed, e
	case errors.As(err, &answer) && answer.Code < 500 && answer.Step != submission.StepInput:
		// Not refused for good, but not taken either: it may pass.
		e.Code, e.Temporary, e.StopsRun = CodeSMTPTemporary, true, true
		e.Message += fmt.Sprintf("; recipients of %d domains in a row were refused alike, and the server could not be asked about the sender (%v): run again", domains, err)
		return Deferred, e
	}
	return stopFor(e, fmt.Sprintf("recipients of %d domains in a row were refused alike, %v: check Username and Password, From and EnvelopeFrom, and whether the server blocks this machine", domains, err))
}

// askAboutSender returns nil if the server would take mail from the sender of
// sub to that sender's own address.
func (w *work) askAboutSender(ctx context.Context, sub *ledger.Submission, r submission.Result) error {
	if r.Step != submission.StepRcpt {
		// The answer to RCPT would say nothing of what is refused later.
		return errors.New("and that after the server had taken sender and recipient")
	}
	p, ok := w.submitter.(prober)
	if !ok {
		return errors.New("and the Submitter cannot ask about the sender")
	}
	_, err := p.Probe(ctx, submission.Envelope{From: sub.Message.From, To: sub.FromEmail, SMTPUTF8: sub.Message.SMTPUTF8})
	if err != nil {
		return fmt.Errorf("and so was the sender's own address (%w)", err)
	}
	return nil
}

// stopFor makes of a refusal one that settings are the cause of.
func stopFor(e *Error, why string) (Outcome, *Error) {
	e.Code, e.StopsRun = CodeSMTPConfig, true
	e.Message += "; " + why
	return Deferred, e
}

// remember records the refusals of a run that others have shown to be their
// recipients'. Nobody else in this process has their invites in hand any more. A
// process that ends before tries them again, which is no harm.
func (m *Mailer) remember(ctx context.Context, r *run) {
	if m.cfg.Ledger == nil {
		return
	}
	for _, a := range r.takeProven() {
		if err := m.rememberOne(ctx, a); err != nil {
			m.log.Warn("a refusal could not be recorded as one for good; the next run tries again", "invite", a.key.InviteID, "error", err)
		}
	}
}

func (m *Mailer) rememberOne(ctx context.Context, a attempt) error {
	ctx, cancel := finishing(ctx)
	defer cancel()
	claim, err := m.cfg.Ledger.Claim(ctx, a.key)
	if errors.Is(err, ledger.ErrInProgress) {
		return nil // another run has taken it up: it will see for itself
	}
	if err != nil {
		return err
	}
	entries, err := m.cfg.Ledger.Lookup(ctx, a.key)
	if err == nil && entries[0].Latest != nil {
		if last := entries[0].Latest; last.State == ledger.Failed && last.MessageID == a.messageID {
			err = m.cfg.Ledger.Finish(ctx, claim, a.key, ledger.Result{State: ledger.Failed, Permanent: true, Unusable: last.Unusable,
				Stage: last.Stage, Code: last.Code, Detail: last.Detail, Reply: last.Reply})
		}
	}
	return errors.Join(err, m.cfg.Ledger.Release(ctx, claim))
}
