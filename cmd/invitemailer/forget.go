package main

import (
	"context"
	"fmt"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
)

// forgetCmd removes what is past, and with it addresses. A hash is left, so that an old file does
// not invite anew.
type forgetCmd struct {
	Before instant `required:"" placeholder:"DATE" help:"${forget_before}"`
	DryRun bool    `help:"Remove nothing, and say how many would be."`
	JSON   bool    `name:"json" help:"Write JSON on a terminal too."`
}

// forgotten is the one line of the results.
type forgotten struct {
	Forgotten int       `json:"forgotten"`
	Before    time.Time `json:"before"`
	DryRun    bool      `json:"dry_run,omitempty"`
}

func (c *forgetCmd) run(ctx context.Context, inv *invocation) exitCode {
	return inv.withLedger(ctx, func(ctx context.Context, s *setup, l *sqlite.Ledger) exitCode {
		result := forgotten{Before: c.Before.UTC(), DryRun: c.DryRun}
		if now := time.Now().UTC().Truncate(time.Second); result.Before.After(now) {
			s.log.Warn("--before is in the future; what is not over yet is not forgotten", "before", now)
			result.Before = now
		}
		var err error
		if c.DryRun {
			result.Forgotten, err = countPast(ctx, l, result.Before)
		} else {
			result.Forgotten, err = l.Forget(ctx, result.Before)
		}
		if err != nil {
			s.log.Warn("not everything was forgotten", "forgotten", result.Forgotten)
			return s.ledgerFailed(err)
		}
		if err := inv.results(c.JSON).put(context.Background(), result); err != nil {
			return inv.unwritten(err)
		}
		s.log.Info("done", "forgotten", result.Forgotten, "before", result.Before, "dry_run", c.DryRun,
			"ledger", s.cfg.ledger.Path)
		return exitOK
	})
}

// columns is the result as people read it on a terminal.
func (f forgotten) columns() string {
	verb := "forgotten"
	if f.DryRun {
		verb = "to be forgotten"
	}
	return fmt.Sprintf("%s: %d, over before %s", verb, f.Forgotten, f.Before.Format(time.RFC3339))
}

// countPast counts what Forget would remove, and with it what another run has in hand at the moment.
func countPast(ctx context.Context, l *sqlite.Ledger, before time.Time) (n int, err error) {
	for e, err := range l.List(ctx, sqlite.Filter{}) {
		if err != nil {
			return n, err
		}
		if over(&e).Before(before) {
			n++
		}
	}
	return n, nil
}

// over is when an event is over; if that is not known, the time of the last outcome, as for Forget.
func over(e *ledger.Entry) time.Time {
	if e.EndsAt.IsZero() && e.Latest != nil {
		return e.Latest.At
	}
	return e.EndsAt
}
