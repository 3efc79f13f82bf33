package mailer

import (
	"context"
	"errors"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Ledger is the durable record that a [Mailer] keeps; package ledger has its
// words. Package mailer/ledger/sqlite is one in a file; bring your own if you
// like, and prove it with package mailer/ledger/ledgertest.
//
// All methods are safe for concurrent use, by several processes too. Each write
// is done whole or not at all. What it wrote outlives the process when it returns;
// Submitting and Finish, and a Create that speaks of a mail, outlive a power cut
// too. Errors wrap [ledger.ErrUnusable] or [ledger.ErrBusy] where they are of that
// sort.
type Ledger interface {
	// Lookup reads the entries of keys, in their order, without their calendars
	// and messages. It writes nothing and is cheap: it is all that an unchanged
	// invite costs.
	Lookup(ctx context.Context, keys ...ledger.Key) ([]ledger.Entry, error)
	// Load is Lookup with calendars and messages.
	Load(ctx context.Context, keys ...ledger.Key) ([]ledger.Entry, error)
	// Members is Lookup for every recipient of an invite id that is not
	// forgotten, ordered by address.
	Members(ctx context.Context, inviteID string) ([]ledger.Entry, error)
	// Claim takes all of keys or none: [ledger.ErrInProgress] if one is held by
	// a live claim. It is kept alive until it is released or the ledger closed.
	// If the clock is set back, a live claim stays alive, and that of a dead owner
	// is free half a minute after somebody asked for it.
	Claim(ctx context.Context, keys ...ledger.Key) (ledger.Claim, error)
	// Create adds one revision to each of the invites, all or none, and the
	// invites that are new. A latest revision that brought neither a calendar
	// nor a mail, and was to be tried again or is over, gives way to the new one. An empty UID or EndsAt leaves what is
	// known. [ledger.ErrClaimLost] if somebody else took over, as for the writes
	// that follow.
	Create(ctx context.Context, c ledger.Claim, made ...ledger.NewRevision) error
	// Submitting records that the invite's latest revision is about to leave:
	// its bytes, one attempt more, the time. Submitting it once more without
	// Finish means that the first time may have left. Of a revision that may have
	// left it is one more of its Copies; of any other, the first.
	Submitting(ctx context.Context, c ledger.Claim, key ledger.Key, s ledger.Submission) error
	// Finish records the outcome of the invite's latest revision. Its bytes are
	// dropped unless the outcome is Unknown; with NotLeft, one of its Copies is
	// taken back.
	Finish(ctx context.Context, c ledger.Claim, key ledger.Key, o ledger.Result) error
	// Release gives the claim back. Releasing one that ran out is no error.
	Release(ctx context.Context, c ledger.Claim) error
}

// finishing is a context for what must be recorded even though the run is being
// stopped.
func finishing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
}

// finishTimeout bounds the last writes of a stopped run. It is longer than a
// ledger waits for another's lock.
const finishTimeout = 30 * time.Second

// ledgerError says in the pipeline's terms what a ledger could not do.
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
