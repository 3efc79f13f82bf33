package mailer

import (
	"context"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// look reads the ledger and decides for everybody who is open; those for whom
// nothing is to be done are ended. It reports whether the ledger could be read.
func (w *work) look(ctx context.Context, claimed bool) bool {
	open := w.open()
	if len(open) == 0 {
		return true
	}
	if w.ledger != nil {
		read := w.ledger.Lookup
		if claimed {
			read = w.ledger.Load
		}
		keys := make([]ledger.Key, len(open))
		for n, i := range open {
			keys[n] = w.keys[i]
		}
		entries, err := read(ctx, keys...)
		if err != nil {
			w.endRest(ledgerError(ctx, err))
			return false
		}
		for n, i := range open {
			w.entries[i] = entries[n]
		}
	}
	for _, i := range open {
		w.decide(i)
	}
	return true
}

// take claims everybody who is open and decides once more, now that nobody
// else can change the record.
func (w *work) take(ctx context.Context) bool {
	if w.ledger == nil {
		return true
	}
	var keys []ledger.Key
	for _, i := range w.open() {
		keys = append(keys, w.keys[i])
	}
	waitCtx, done := w.run.until(ctx)
	defer done()
	claim, err := w.ledger.Claim(waitCtx, keys...)
	if err != nil {
		w.endRest(w.notRecorded(ctx, waitCtx, err))
		return false
	}
	w.claim = claim
	if !w.look(ctx, true) || len(w.open()) == 0 {
		w.release(ctx)
		return false
	}
	return true
}

// notRecorded is for a write before a request or a mail that did not come about. The
// end of waitCtx may be that of the run.
func (w *work) notRecorded(ctx, waitCtx context.Context, err error) *Error {
	if stopped := w.run.cause(); stopped != nil && ctx.Err() == nil && waitCtx.Err() != nil {
		return notBegun(StageLedger, stopped)
	}
	return ledgerError(ctx, err)
}

func (w *work) release(ctx context.Context) {
	if w.ledger == nil || w.claim.Token == 0 {
		return
	}
	ctx, cancel := finishing(ctx)
	defer cancel()
	if err := w.ledger.Release(ctx, w.claim); err != nil {
		w.m.log.Warn("the claim on an invite could not be given back; it runs out by itself", "invite", w.ID, "error", err)
	}
	w.claim = ledger.Claim{}
}
