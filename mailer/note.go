package mailer

import (
	"context"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// policy is the Mailer's at this moment.
func (w *work) policy() policy {
	p := w.m.policy
	p.now = w.m.cfg.Now()
	return p
}

func errPast() *Error {
	return &Error{Stage: StagePolicy, Code: CodeExpired, Field: "event.end",
		Message: "the event is over; nothing was sent; correct the time, or use --allow-past"}
}

// warnPast says so where the past is mailed for a trial only.
func (w *work) warnPast(i int, ends time.Time) {
	if w.Method == Request && (w.m.cfg.PastWarns || w.m.cfg.DryRun) && !w.m.cfg.AllowPast && w.policy().past(ends) {
		w.receipts[i].Findings = addOnce(w.receipts[i].Findings, Finding{Rule: "past_event", Level: LevelWarning, Field: "event.end",
			Message: "the event is over; a real send would refuse it"})
	}
}

// lapse decides for an invitation to an event that is over. It is told once: what
// is on record as expired is known.
func lapse(e ledger.Entry, s step, same bool) step {
	err := errPast()
	err.unusable = same && e.Latest.Unusable
	if same && e.Latest.State == ledger.Expired {
		known := refuse(Expired, err)
		known.known = true
		return known
	}
	if same && e.Latest.State == ledger.Sent {
		return refuse(Expired, err) // a repeat on purpose; what was sent stays sent
	}
	return step{action: note, kind: s.kind, outcome: Expired, err: err}
}

// note ends those of whom there is something to record, and nothing to ask or to
// mail. A run that finds it on record knows that it was told.
func (w *work) note(ctx context.Context) {
	for _, i := range w.open() {
		s := &w.steps[i]
		if s.action != note {
			continue
		}
		if w.sameContent(i) {
			w.conclude(ctx, i, s.outcome, s.err, w.receipts[i].Reply)
			continue
		}
		w.noteNew(ctx, i, s)
	}
}

// noteNew records an event that was over before anybody was asked for it.
func (w *work) noteNew(ctx context.Context, i int, s *step) {
	r := &w.receipts[i]
	r.MessageID, r.Reply, r.Attempts = "", "", 0
	w.end(i, s.outcome, s.err)
	if w.ledger == nil {
		return
	}
	made := w.made(i, nil, s.err)
	made.Revision.State = ledger.Expired
	if invited(w.entries[i]) {
		made.EndsAt = time.Time{} // people still have the event as it was sent
	}
	ctx, cancel := finishing(ctx)
	defer cancel()
	if err := w.ledger.Create(ctx, w.claim, made); err != nil {
		w.end(i, Deferred, ledgerError(ctx, err))
	}
}

// expire ends recipient i, whose event is over by the calendar that was received
// for it or is on record.
func (w *work) expire(ctx context.Context, i int) {
	s := lapse(w.entries[i], w.steps[i], w.steps[i].action == compose)
	if s.action == note {
		w.conclude(ctx, i, s.outcome, s.err, "")
		return
	}
	w.receipts[i].Known = s.known
	w.end(i, s.outcome, s.err)
}

// sameContent tells whether the latest revision on record is what is asked for.
func (w *work) sameContent(i int) bool {
	r := w.entries[i].Latest
	return r != nil && r.Fingerprint == w.prints[i] && r.Method == w.Method
}
