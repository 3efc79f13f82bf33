package mailer_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// smtpBytes is a Submitter that is a function.
type smtpBytes func(context.Context, submission.Envelope, []byte) submission.Result

func (f smtpBytes) Submit(ctx context.Context, env submission.Envelope, msg []byte) submission.Result {
	return f(ctx, env, msg)
}

// failingLedger refuses one of its writes.
type failingLedger struct {
	mailer.Ledger
	at  string
	err error
}

func (l failingLedger) fails(at string) error {
	if l.at == at {
		return l.err
	}
	return nil
}

func (l failingLedger) Lookup(ctx context.Context, k ...ledger.Key) ([]ledger.Entry, error) {
	if err := l.fails("lookup"); err != nil {
		return nil, err
	}
	return l.Ledger.Lookup(ctx, k...)
}

func (l failingLedger) Claim(ctx context.Context, k ...ledger.Key) (ledger.Claim, error) {
	if err := l.fails("claim"); err != nil {
		return ledger.Claim{}, err
	}
	return l.Ledger.Claim(ctx, k...)
}

func (l failingLedger) Create(ctx context.Context, c ledger.Claim, made ...ledger.NewRevision) error {
	if err := l.fails("create"); err != nil {
		return err
	}
	return l.Ledger.Create(ctx, c, made...)
}

func (l failingLedger) Submitting(ctx context.Context, c ledger.Claim, k ledger.Key, s ledger.Submission) error {
	if err := l.fails("submitting"); err != nil {
		return err
	}
	return l.Ledger.Submitting(ctx, c, k, s)
}

func (l failingLedger) Finish(ctx context.Context, c ledger.Claim, k ledger.Key, o ledger.Result) error {
	if err := l.fails("finish"); err != nil {
		return err
	}
	return l.Ledger.Finish(ctx, c, k, o)
}

// No mail leaves unrecorded, whatever write the ledger refuses, and a mail whose
// end could not be recorded is repeated, the same bytes.
func TestNoMailLeavesUnrecorded(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"lookup", "claim", "create", "submitting", "finish"} {
		for name, tc := range map[string]struct {
			err   error
			code  mailer.Code
			stops bool
		}{
			"full": {err: fmt.Errorf("writing: %w", ledger.ErrBusy), code: mailer.CodeLedgerBusy, stops: true},
			"unusable": {err: fmt.Errorf("writing: %w", ledger.ErrUnusable), code: mailer.CodeLedgerUnusable,
				stops: true},
			"lost": {err: ledger.ErrClaimLost, code: mailer.CodeClaimLost},
		} {
			t.Run(at+" "+name, func(t *testing.T) {
				t.Parallel()
				h := newRecordedFixture(t, nil)
				good := h.cfg.Ledger
				h.cfg.Ledger = failingLedger{good, at, tc.err}
				r := h.send(t, boardMeeting())
				require.NotNil(t, r.Error)
				assert.Equal(t, tc.code, r.Error.Code)
				assert.Equal(t, tc.stops, r.Error.StopsRun)
				left := 0
				if at == "finish" {
					left = 1
					assert.Equal(t, mailer.Unknown, r.Outcome)
				} else {
					assert.Equal(t, mailer.Deferred, r.Outcome)
				}
				require.Len(t, h.smtp.Accepted(), left)

				h.cfg.Ledger = good
				if left > 0 {
					waiting := h.send(t, boardMeeting())
					assert.Equal(t, mailer.Unknown, waiting.Outcome)
					assert.Equal(t, mailer.CodeWaiting, waiting.Error.Code)
					h.cfg.Now = func() time.Time { return today.Add(20 * time.Minute) }
				}
				again := h.send(t, boardMeeting())
				assert.Equal(t, mailer.Sent, again.Outcome, "%+v", again.Error)
				taken := h.smtp.Accepted()
				require.Len(t, taken, left+1)
				assert.Equal(t, string(taken[0].Data), string(taken[len(taken)-1].Data))
			})
		}
	}
}
