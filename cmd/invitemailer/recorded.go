package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

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
	s, err := load(inv.flags)
	if err != nil {
		return inv.fail(exitConfig, err.Error())
	}
	var p problems
	cfg := configure(s, scopeLedger, &p)
	if cfg.ledger.none {
		p.add("INVITEMAILER_LEDGER", "is none, so nothing is remembered; name the ledger as sqlite:PATH")
	}
	if len(p.texts) > 0 {
		return inv.misconfigured(s, p.texts)
	}
	log := cfg.logger(inv.screen)
	for _, warning := range misspelt(os.Environ()) {
		log.Warn(warning)
	}
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

// fail says what the ledger could not do.
func (r *recorded) fail(err error) exitCode {
	r.log.Error(err.Error())
	return ledgerCode(err)
}
