package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
)

// recorded is the ledger as the subcommands see it that ask nobody else.
type recorded struct {
	ledger *sqlite.Ledger
	name   string
	log    *slog.Logger
}

// withLedger opens the ledger, whatever API it belongs to, without looking at
// the settings of API and mail server. The context of do ends at the first signal. A ledger that is not there is not made: it
// knows nothing.
func (inv *invocation) withLedger(ctx context.Context, do func(context.Context, *recorded) exitCode) exitCode {
	var p problems
	s, cfg, err := inv.ledgerSettings("nothing is remembered", &p)
	if err != nil {
		return inv.fail(exitConfig, err.Error())
	}
	if len(p.texts) > 0 {
		return inv.misconfigured(s, p.texts)
	}
	log := cfg.logger(inv.screen)
	warnOfMisspelt(log)
	cfg.ledger.patience = inv.Patience
	w := &wiring{cfg: &cfg, scope: scopeLedger, log: log}
	defer w.close()
	l, err := w.openLedger(ctx)
	if l == nil && err == nil {
		log.Warn("there is no ledger yet, so nothing is known", "ledger", cfg.ledger.path)
		cfg.ledger.memory = true
		l, err = w.openLedger(ctx)
	}
	if err != nil {
		return inv.misconfiguredLedger(s, err)
	}
	if !l.Application().Known {
		return inv.misconfigured(s, []string{fmt.Sprintf("INVITEMAILER_APPLICATION: the ledger %s has no application %q; name one that it has", cfg.ledger.path, s.Application)})
	}
	return do(ctx, &recorded{ledger: l, name: cfg.ledger.path, log: log})
}

// ledgerSettings reads the settings of what needs a ledger and nothing else; without is what comes of having none.
func (inv *invocation) ledgerSettings(without string, p *problems) (settings, configuration, error) {
	s, err := load(inv.flags)
	if err != nil {
		return s, configuration{}, err
	}
	cfg := configure(s, scopeLedger, p)
	if cfg.ledger.none {
		p.add("INVITEMAILER_LEDGER", "is none, so %s; name the ledger as sqlite:PATH", without)
	}
	return s, cfg, nil
}

// fail says what the ledger could not do.
func (r *recorded) fail(err error) exitCode {
	r.log.Error(err.Error())
	return ledgerCode(err)
}
