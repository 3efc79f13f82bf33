package mailer

import (
	"context"
	"errors"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Ledger is the durable record that a [Mailer] keeps; package ledger has its terms. Package
// mailer/ledger/sqlite is one in a file; prove your own with package mailer/ledger/ledgertest.
//
// All methods are called by many goroutines and several processes. Each write is done whole or not at
// all. What it wrote outlives the process when it returns; Submitting and Finish, and a Create that
// speaks of a mail, outlive a power cut too. Errors wrap [ledger.ErrUnusable] or [ledger.ErrBusy]
// where they are of that sort.
type Ledger interface {
	// Lookup reads the entries of keys, in their order, without their calendars and messages. It
	// writes nothing and is cheap: it is all that an unchanged invite costs.
	Lookup(ctx context.Context, keys ...ledger.Key) ([]ledger.Entry, error)
	// Load is Lookup with calendars and messages.
	Load(ctx context.Context, keys ...ledger.Key) ([]ledger.Entry, error)
	// Members is Lookup for every recipient of an invite id that is not forgotten, ordered by
	// address.
	Members(ctx context.Context, inviteID string) ([]ledger.Entry, error)
	// Claim takes all of keys or none: [ledger.ErrInProgress] if one is held by a live claim. It is
	// kept alive until it is released or the ledger closed. If the clock is set back, a live claim
	// stays alive, and that of a dead owner is free half a minute after it was asked for.
	Claim(ctx context.Context, keys ...ledger.Key) (ledger.Claim, error)
	// Create adds one revision to each of the invites, all or none, and the invites that are new. A
	// latest revision that brought neither a calendar nor a mail, and was to be tried again or is
	// over, gives way to the new one. An empty UID or EndsAt leaves what is known.
	// [ledger.ErrClaimLost] if another run took over, as for the writes that follow.
	Create(ctx context.Context, c ledger.Claim, added ...ledger.NewRevision) error
	// Submitting records that the invite's latest revision is about to leave: its bytes, one
	// attempt more, the time. Submitting it once more without Finish means that the first time may
	// have left. Of a revision that may have left it is one more of its Copies; of any other, the
	// first.
	Submitting(ctx context.Context, c ledger.Claim, key ledger.Key, s ledger.Submission) error
	// Finish records the outcome of the invite's latest revision. Its bytes are dropped unless the
	// outcome is Unknown; with NotLeft, one of its Copies is taken back.
	Finish(ctx context.Context, c ledger.Claim, key ledger.Key, r ledger.Result) error
	// Release gives the claim back. Releasing one that ran out is no error.
	Release(ctx context.Context, c ledger.Claim) error
}

// takeClaim claims all who have not ended and decides once more, now that no other run can change
// what is on record. It reports whether there is anything left to do.
func (j *job) takeClaim(ctx context.Context) bool {
	if j.ledger == nil {
		return true
	}
	waitCtx, done := j.run.until(ctx)
	defer done()
	claim, err := j.ledger.Claim(waitCtx, keys(j.pending())...)
	if err != nil {
		j.deferAll(j.notRecorded(ctx, waitCtx, err))
		return false
	}
	j.claim = claim
	return j.lookUp(ctx, true) && len(j.pending()) > 0
}

func (j *job) release(ctx context.Context) {
	if j.ledger == nil || j.claim.Token == 0 {
		return
	}
	ctx, cancel := finishing(ctx)
	defer cancel()
	if err := j.ledger.Release(ctx, j.claim); err != nil {
		j.m.log.Warn("the claim on an invite could not be given back; it runs out by itself",
			"invite", j.ID, "error", err)
	}
	j.claim = ledger.Claim{}
}

func (j *job) add(ctx context.Context, added ...ledger.NewRevision) *Error {
	if j.ledger == nil {
		return nil
	}
	ctx, cancel := finishing(ctx)
	defer cancel()
	if err := j.ledger.Create(ctx, j.claim, added...); err != nil {
		return ledgerError(ctx, err)
	}
	return nil
}

// conclude ends a recipient without a submission in this run, and records how. If that cannot be
// recorded, the next run comes to the same end.
func (j *job) conclude(ctx context.Context, to *recipient, o Outcome, problem *Error) {
	j.end(to, o, problem)
	if err := j.recordResult(ctx, to, o, problem, false); err != nil {
		if o != Unknown {
			o = Deferred
		}
		j.end(to, o, err)
	}
}

// recordResult records the outcome of a recipient. With notLeft, it is unknown for an earlier
// submission and not for this one.
func (j *job) recordResult(ctx context.Context, to *recipient, o Outcome, problem *Error, notLeft bool) *Error {
	if j.ledger == nil {
		return nil
	}
	result := ledger.Result{State: ledger.State(o), Reply: to.receipt.Reply, NotLeft: notLeft}
	if problem != nil {
		result.Stage, result.Code, result.Detail = problem.Stage, problem.Code, problem.Message
		result.Permanent = problem.Permanent
		result.Unusable = problem.Stage == StageCalendar || problem.unusable
	}
	ctx, cancel := finishing(ctx)
	defer cancel()
	if err := j.ledger.Finish(ctx, j.claim, to.key, result); err != nil {
		return ledgerError(ctx, err)
	}
	return nil
}

// finishing is a context for what must be recorded even though the run is being stopped. Its timeout
// is longer than a ledger waits for another's lock.
func finishing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
}

// notRecorded is for a write before a request or a mail that failed. The end of waitCtx may be that
// of the run.
func (j *job) notRecorded(ctx, waitCtx context.Context, err error) *Error {
	if stopped := j.run.cause(); stopped != nil && ctx.Err() == nil && waitCtx.Err() != nil {
		return notBegun(StageLedger, stopped)
	}
	return ledgerError(ctx, err)
}

func ledgerError(ctx context.Context, err error) *Error {
	e := &Error{Stage: StageLedger, Temporary: true, Err: err, Message: err.Error()}
	switch {
	case errors.Is(err, ledger.ErrInProgress):
		e.Code = CodeInProgress
		e.Message = "another run has this invite in hand; its outcome is in that run's results, or run again"
	case errors.Is(err, ledger.ErrClaimLost):
		e.Code = CodeClaimLost
		e.Message = "this run was too slow and another may have taken the invite over; nothing was sent; run again"
	case errors.Is(err, ledger.ErrUnusable):
		e.Code, e.Temporary, e.StopsRun = CodeLedgerUnusable, false, true
	case ctx.Err() != nil:
		return interrupted(ctx, StageLedger)
	default:
		e.Code, e.StopsRun = CodeLedgerBusy, true
	}
	return e
}
