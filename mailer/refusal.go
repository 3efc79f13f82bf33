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
	// recently is how far back an accepted mail tells that a server takes mail from a sender.
	recently = 10 * time.Minute
	// alike is after how many refusals in a row a run stops, or asks about the sender: one may be
	// about a recipient, a record's organizer or its text.
	alike = 3
)

// attempt is one submission, as others are judged by it.
type attempt struct {
	key        ledger.Key
	messageID  string
	sender     sender
	connection int // of the Submitter; 0 if not known
}

// sender is who a mail is from; a server may look at either.
type sender struct{ envelope, from string }

func (a attempt) domain() string {
	return a.key.Address[strings.LastIndexByte(a.key.Address, '@')+1:]
}

// judge says how a submission ended. Where the reply leaves open whether the recipient or the sender is
// refused, it asks what became of other mails.
func (j *job) judge(ctx context.Context, to *recipient, sub *ledger.Submission, r submission.Result) (Outcome, *Error) {
	if stopped := j.run.cause(); stopped != nil && errors.Is(r.Err, submission.ErrStopped) {
		return Deferred, notBegun(StageSubmit, stopped)
	}
	o, e := submitted(ctx, r)
	a := attempt{key: to.key, messageID: sub.MessageID,
		sender: sender{sub.Message.From, sub.FromEmail}, connection: r.Connection}
	recent := j.m.cfg.Now().Add(-recently)
	accepted := &j.m.accepted
	switch {
	case r.Outcome == submission.Accepted:
		accepted.add(a, j.m.cfg.Now())
		j.run.accept(a)
	case r.Outcome != submission.Refused, r.Temporary, e.StopsRun:
	case r.Cause == submission.CauseMailbox, r.Cause == submission.CauseContent:
		j.run.refusedClearly()
	case r.LoginUnused && !j.run.accepted.Load() && !accepted.any(recent):
		return stopFor(e, "the server offers a login, and none is set: "+
			"set submission.Config.Username and submission.Config.Password")
	case r.Cause.Ours():
		if n, _ := j.run.refused(string(r.Cause), a.domain()); j.run.single || n >= alike {
			e.StopsRun, e.Temporary = true, r.Cause == submission.CauseQuota
		}
	case r.Cause == submission.CausePolicy && accepted.sameConnection(a),
		j.run.single && r.Cause != submission.CausePolicy && accepted.sameSender(a, recent):
		e.Permanent = true
	case !j.run.single:
		f := refusal{attempt: a, said: fmt.Sprintf("%d %s", r.Code, r.EnhancedCode),
			policy: r.Cause == submission.CausePolicy}
		return j.weigh(ctx, sub, r, f, e)
	}
	return o, e
}

// weigh holds a refusal that says nothing clear against the others of its run. After recipients of
// three domains were refused alike, the server is asked about the sender: if that is refused too, it
// is not the recipients' fault.
func (j *job) weigh(ctx context.Context, sub *ledger.Submission, r submission.Result, f refusal,
	e *Error) (Outcome, *Error) {
	_, domains := j.run.refused(f.said, f.domain())
	if domains < alike || j.run.probing.Swap(true) {
		j.run.doubt(f)
		return Failed, e
	}
	err := j.probeSender(ctx, sub, r)
	if err == nil {
		j.run.goodSender(f)
		j.run.probing.Store(false)
		e.Permanent = true
		return Failed, e
	}
	answer, answered := errors.AsType[*submission.Error](err)
	switch {
	case ctx.Err() != nil, errors.Is(err, submission.ErrStopped):
		j.run.doubt(f)
		return Failed, e
	case answered && answer.Code < 500 && answer.Step != submission.StepInput:
		// Not refused for good, but not taken either: it may pass.
		e.Code, e.Temporary, e.StopsRun = CodeSMTPTemporary, true, true
		e.Message += fmt.Sprintf("; recipients of %d domains in a row were refused alike, "+
			"and the server could not be asked about the sender (%v): run again", domains, err)
		return Deferred, e
	}
	return stopFor(e, fmt.Sprintf("recipients of %d domains in a row were refused alike, %v: "+
		"check submission.Config.Username and submission.Config.Password, Config.From and Config.EnvelopeFrom, "+
		"and whether the server blocks this machine", domains, err))
}

// probeSender returns nil if the server would take mail from the sender of sub to the sender's own
// address.
func (j *job) probeSender(ctx context.Context, sub *ledger.Submission, r submission.Result) error {
	if r.Step != submission.StepRcpt {
		return errors.New("and that after the server had taken sender and recipient")
	}
	p, ok := j.run.submitter.(interface { // as *submission.Submitter
		Probe(ctx context.Context, env submission.Envelope) (reply string, err error)
	})
	if !ok {
		return errors.New("and the Submitter cannot ask about the sender")
	}
	_, err := p.Probe(ctx, submission.Envelope{From: sub.Message.From, To: sub.FromEmail,
		SMTPUTF8: sub.Message.SMTPUTF8})
	if err != nil {
		return fmt.Errorf("and so was the sender's own address (%w)", err)
	}
	return nil
}

// stopFor makes a refusal one that the settings cause.
func stopFor(e *Error, why string) (Outcome, *Error) {
	e.Code, e.StopsRun = CodeSMTPConfig, true
	e.Message += "; " + why
	return Deferred, e
}

// recordProven records, at the end of a run, the refusals that others have shown to be their
// recipients'. If the process ends before, the next run tries them again.
func (m *Mailer) recordProven(ctx context.Context, r *run) {
	if m.cfg.Ledger == nil {
		return
	}
	for _, a := range r.refusals.proven {
		if err := m.recordRefusal(ctx, a); err != nil {
			m.log.Warn("a refusal could not be recorded as one for good; the next run tries again",
				"invite", a.key.InviteID, "error", err)
		}
	}
}

func (m *Mailer) recordRefusal(ctx context.Context, a attempt) error {
	ctx, cancel := finishing(ctx)
	defer cancel()
	l := m.cfg.Ledger
	claim, err := l.Claim(ctx, a.key)
	if errors.Is(err, ledger.ErrInProgress) {
		return nil // another run has taken it up: it will see for itself
	}
	if err != nil {
		return err
	}
	entries, err := l.Lookup(ctx, a.key)
	if err == nil && entries[0].Latest != nil {
		if last := entries[0].Latest; last.State == ledger.Failed && last.MessageID == a.messageID {
			err = l.Finish(ctx, claim, a.key, ledger.Result{State: ledger.Failed, Permanent: true,
				Unusable: last.Unusable, Stage: last.Stage, Code: last.Code, Detail: last.Detail, Reply: last.Reply})
		}
	}
	return errors.Join(err, l.Release(ctx, claim))
}
