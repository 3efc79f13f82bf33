package mailer

import (
	"context"

	"github.com/invitemailer/invitemailer/internal/limitwait"
)

// Observer is told how invites go their way, for metrics and traces. How they
// ended is on their receipts.
//
// It is told of these stages: StageCreate for each request to the API, the client's repeats included;
// StageRender, StageCompose and StageCheck for each mail; StageSubmit for each submission, with what
// it takes to judge a refusal.
type Observer interface {
	// Observe is called when a stage begins. The function that it returns, which may be nil, is
	// called once, when that stage has ended: with the empty Code if all went well, else with the
	// code of the error. Both are called by many goroutines, and the invite waits for them. The
	// context is that of the call of Send, SendGroup or SendAll, or derived from it.
	Observe(ctx context.Context, e Event) (ended func(Code))
}

// Event is the beginning of a stage. It holds no address.
type Event struct {
	// InviteID is the id of the invite or group. There is no end of them: make no label of a metric
	// from it.
	InviteID string
	Stage    Stage
	// Wait is set for a wait before the stage can go on, whether or not it takes any time: for
	// RunOptions.Concurrency and Mails before the stage begins, and for the limits that a
	// *cronofy.Client or a *submission.Submitter keeps, within it.
	Wait bool
}

// observe tells the Observer that a stage begins, and by ended how it ended.
func (j *job) observe(ctx context.Context, e Event) (ended func(*Error)) {
	if j.m.cfg.Observer == nil {
		return func(*Error) {}
	}
	e.InviteID = j.ID
	end := j.m.cfg.Observer.Observe(ctx, e)
	return func(problem *Error) {
		switch {
		case end == nil:
		case problem == nil:
			end("")
		default:
			end(problem.Code)
		}
	}
}

// observingWaits returns ctx for a call that tells of its waits for a limit.
func (j *job) observingWaits(ctx context.Context, s Stage) context.Context {
	if j.m.cfg.Observer == nil {
		return ctx
	}
	return limitwait.With(ctx, func() func(error) {
		ended := j.observe(ctx, Event{Stage: s, Wait: true})
		return func(err error) {
			switch {
			case err == nil:
				ended(nil)
			case ctx.Err() != nil:
				ended(interrupted(ctx, s))
			case j.run.cause() != nil:
				ended(notBegun(s, j.run.cause()))
			default: // longer than it may take
				ended(&Error{Stage: s, Code: codeRateLimited})
			}
		}
	})
}
