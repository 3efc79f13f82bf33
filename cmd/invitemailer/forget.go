package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
)

// forgetCmd removes what is past from the ledger, and with it people's
// addresses. What is left is a hash, so that an old file does not invite anybody
// anew.
type forgetCmd struct {
	Before instant `required:"" placeholder:"DATE" help:"Forget invites whose event was over before this date (midnight UTC) or time (RFC 3339)."`
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
	return inv.withLedger(ctx, func(ctx context.Context, r *recorded) exitCode {
		result := forgotten{Before: c.Before.UTC(), DryRun: c.DryRun}
		if now := time.Now().UTC().Truncate(time.Second); result.Before.After(now) {
			r.log.Warn("--before is in the future; what is not over yet is not forgotten", "before", now)
			result.Before = now
		}
		forget := r.ledger.Forget
		if c.DryRun {
			forget = r.countPast
		}
		var err error
		result.Forgotten, err = forget(ctx, result.Before)
		if err != nil {
			r.log.Warn("not everything was forgotten", "forgotten", result.Forgotten)
			return r.fail(err)
		}
		text, err := result.text(isTerminal(inv.Stdout) && !c.JSON)
		if err == nil {
			_, err = fmt.Fprintln(inv.Stdout, text)
		}
		if err != nil {
			return inv.unwritten(err)
		}
		r.log.Info("done", "forgotten", result.Forgotten, "before", result.Before, "dry_run", c.DryRun, "ledger", r.name)
		return exitOK
	})
}

func (f forgotten) text(people bool) (string, error) {
	if !people {
		text, err := json.Marshal(f)
		return string(text), err
	}
	verb := "forgotten"
	if f.DryRun {
		verb = "to be forgotten"
	}
	return fmt.Sprintf("%s: %d, over before %s", verb, f.Forgotten, f.Before.Format(time.RFC3339)), nil
}

// countPast counts what Forget would remove, and with it what another run has in
// hand at the moment.
func (r *recorded) countPast(ctx context.Context, before time.Time) (n int, err error) {
	for e, err := range r.ledger.List(ctx, sqlite.Filter{}) {
		if err != nil {
			return n, err
		}
		if over(&e).Before(before) {
			n++
		}
	}
	return n, nil
}

// over is when an event is over. Where that is not known it is the time of the
// last outcome, as for Forget.
func over(e *ledger.Entry) time.Time {
	if e.EndsAt.IsZero() && e.Latest != nil {
		return e.Latest.At
	}
	return e.EndsAt
}
