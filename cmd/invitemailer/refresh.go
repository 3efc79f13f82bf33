package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer/rsvp"
)

// refresh asks the API how each invite stands whose event is not over.
func (c *statusCmd) refresh(ctx context.Context, inv *invocation) exitCode {
	s, err := load(inv.flags)
	if err != nil {
		return inv.fail(exitConfig, err.Error())
	}
	var p problems
	cfg := configure(s, scopeAPI, &p)
	if cfg.ledger.none {
		p.add("INVITEMAILER_LEDGER", "is none, so nothing is remembered; name the ledger as sqlite:PATH")
	}
	cfg.ledger.patience = inv.Patience
	log := cfg.logger(inv.screen)
	w := &wiring{cfg: &cfg, scope: scopeAPI, log: log}
	defer w.close()
	w.services(&p)
	api, ok := cfg.mail.API.(*cronofy.Client)
	if len(p.texts) > 0 || !ok {
		return inv.misconfigured(s, p.texts)
	}
	if c.Changes { // otherwise it is said when they are shown
		warnOfMisspelt(log)
	}
	l, err := w.openLedger(ctx)
	if err != nil {
		return inv.misconfiguredLedger(s, err)
	}
	out := &changes{w: inv.Stdout, broken: inv.stop.stop}
	o := rsvp.RefreshOptions{MinAge: time.Duration(c.MinAge), Logger: log}
	if c.Changes {
		o.OnChange = out.put
	}
	sum, err := rsvp.Refresh(ctx, api, l, o)
	level := slog.LevelInfo
	if err == nil && sum.Changed+sum.NotFound+sum.Failed+sum.Undelivered == 0 && !inv.screen.terminal {
		level = slog.LevelDebug // cron mails whatever is written, and there is nothing to tell
	}
	log.Log(ctx, level, "asked the API", "asked", sum.Asked, "changed", sum.Changed, "not_found", sum.NotFound, "failed", sum.Failed, "ledger", cfg.ledger.path)
	if unwritten := out.failed(); unwritten != nil {
		return inv.unwritten(unwritten)
	}
	switch {
	case cronofy.StatusOf(err) == http.StatusUnauthorized:
		return inv.fail(exitConfig, keyRefused(w.apiURL))
	case inv.stop.stopped():
		return inv.fail(exitTempfail, "stopped before everything was asked; run again")
	case err != nil:
		return inv.fail(apiCode(err), forUsers(err.Error()))
	case sum.Failed > 0 || sum.Undelivered > 0:
		return exitTempfail
	}
	return exitOK
}
