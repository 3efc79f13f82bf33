package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// checkCmd tries the configuration and sends nothing.
type checkCmd struct{}

// checker prints what was tried and remembers the worst of it.
type checker struct {
	w    io.Writer
	code exitCode
	err  error // of writing
}

func (checkCmd) run(ctx context.Context, inv *invocation) exitCode {
	s, err := load(inv.flags)
	if err != nil {
		return inv.fail(exitConfig, err.Error())
	}
	var p problems
	cfg := configure(s, scopeReal, &p)
	w := &wiring{cfg: &cfg, scope: scopeReal, log: cfg.logger(inv.screen)}
	defer w.close()
	w.connect(&p)
	c := &checker{w: inv.Stdout}
	for _, warning := range misspelt(os.Environ()) {
		c.say("warning", "settings", warning)
	}
	for _, problem := range p.texts {
		c.mend(exitConfig, "settings", problem)
	}
	if len(p.texts) > 0 {
		return c.end(inv)
	}
	c.say("ok", "settings", "complete")
	c.ledger(ctx, w)
	c.key(ctx, w)
	c.smtp(ctx, w)
	return c.end(inv)
}

func (c *checker) ledger(ctx context.Context, w *wiring) {
	switch _, err := w.openLedger(ctx); {
	case err != nil:
		c.mend(ledgerCode(err), "ledger", err.Error())
	case w.cfg.ledger.none:
		c.say("ok", "ledger", "none: nothing is remembered, and the same invite given again is mailed again")
	default:
		c.say("ok", "ledger", w.cfg.ledger.path)
	}
}

func (c *checker) key(ctx context.Context, w *wiring) {
	client, ok := w.cfg.mail.API.(*cronofy.Client)
	if !ok {
		return
	}
	err := client.CheckKey(ctx)
	var refused *cronofy.AuthenticationError
	var known cronofy.Error
	switch {
	case err == nil:
		c.say("ok", "api key", "accepted by "+w.apiURL)
	case errors.As(err, &refused):
		c.mend(exitConfig, "api key", keyRefused(w.apiURL))
	case errors.As(err, &known):
		c.mend(apiCode(err), "api key", err.Error())
	default:
		c.mend(exitTempfail, "api key", err.Error())
	}
}

func (c *checker) smtp(ctx context.Context, w *wiring) {
	submitter, ok := w.cfg.mail.Submitter.(*submission.Submitter)
	if !ok {
		return
	}
	for _, step := range submitter.Check(ctx) {
		name := "smtp " + step.Name
		switch {
		case step.OK:
			c.say("ok", name, step.Detail)
		case step.Advice == "":
			c.mend(smtpCode(step), name, step.Detail)
		default:
			c.mend(smtpCode(step), name, step.Detail+": "+step.Advice)
		}
	}
}

// smtpCode takes a connection that did not come about for a thing that passes.
func smtpCode(step submission.Step) exitCode {
	if step.Name == "connect" {
		return exitTempfail
	}
	return exitConfig
}

// mend says what has to be mended. What is wrong for good weighs more than what
// is wrong for now.
func (c *checker) mend(code exitCode, what, text string) {
	if c.code != exitConfig {
		c.code = code
	}
	c.say("MEND", what, text)
}

func (c *checker) say(verdict, what, text string) {
	if c.err == nil {
		_, c.err = fmt.Fprintf(c.w, "%-7s  %-12s  %s\n", verdict, what, printable(text))
	}
}

func (c *checker) end(inv *invocation) exitCode {
	if c.err != nil {
		return inv.fail(exitTempfail, "the findings could not be written: "+c.err.Error())
	}
	return c.code
}
