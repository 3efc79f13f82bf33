package mailer

import (
	"context"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Step is a point on the way of an invite at which the world changes: a durable
// write, a request, a command to a server. Between any two of them a process
// may die, and the next run has to know what to do.
type Step string

// The steps, each before and after the thing that it names. Those of the SMTP
// transaction are in package submission.
const (
	BeforeClaim      Step = "ledger.claim.before"
	AfterClaim       Step = "ledger.claim.after"
	BeforeRequest    Step = "api.request.before"
	AfterRequest     Step = "api.request.after"
	BeforeCreate     Step = "ledger.create.before"
	AfterCreate      Step = "ledger.create.after"
	BeforeSubmitting Step = "ledger.submitting.before"
	AfterSubmitting  Step = "ledger.submitting.after"
	BeforeFinish     Step = "ledger.finish.before"
	AfterFinish      Step = "ledger.finish.after"
	BeforeRelease    Step = "ledger.release.before"
	AfterRelease     Step = "ledger.release.after"
)

// Steps lists every Step of this package, in the order of an invite's way.
func Steps() []Step {
	return []Step{
		BeforeClaim, AfterClaim, BeforeRequest, AfterRequest, BeforeCreate, AfterCreate,
		BeforeSubmitting, AfterSubmitting, BeforeFinish, AfterFinish, BeforeRelease, AfterRelease,
	}
}

// record is the ledger as the pipeline writes to it: every write passes its
// steps, and with no ledger there is nothing to write.
type record struct {
	ledger Ledger
	step   func(Step)
}

func (r record) kept() bool { return r.ledger != nil }

func (r record) claim(ctx context.Context, keys []ledger.Key) (ledger.Claim, error) {
	r.step(BeforeClaim)
	defer r.step(AfterClaim)
	return r.ledger.Claim(ctx, keys...)
}

func (r record) create(ctx context.Context, c ledger.Claim, made []ledger.NewRevision) error {
	if !r.kept() || len(made) == 0 {
		return nil
	}
	r.step(BeforeCreate)
	defer r.step(AfterCreate)
	return r.ledger.Create(ctx, c, made...)
}

func (r record) submitting(ctx context.Context, c ledger.Claim, key ledger.Key, s ledger.Submission) error {
	if !r.kept() {
		return nil
	}
	r.step(BeforeSubmitting)
	defer r.step(AfterSubmitting)
	return r.ledger.Submitting(ctx, c, key, s)
}

func (r record) finish(ctx context.Context, c ledger.Claim, key ledger.Key, o ledger.Result) error {
	if !r.kept() {
		return nil
	}
	r.step(BeforeFinish)
	defer r.step(AfterFinish)
	return r.ledger.Finish(ctx, c, key, o)
}

func (r record) release(ctx context.Context, c ledger.Claim) error {
	r.step(BeforeRelease)
	defer r.step(AfterRelease)
	return r.ledger.Release(ctx, c)
}
