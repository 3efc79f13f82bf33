package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/templates"
)

// wiring makes a mailer of a configuration and closes in the end what it opened.
type wiring struct {
	cfg   *configuration
	scope scope
	out   string // directory of the sandbox's messages
	// calendar, if set, is what the sandbox's API answers.
	calendar string
	dialSMTP func(ctx context.Context, network, addr string) (net.Conn, error)
	around   func(*mailer.Config)
	log      *slog.Logger

	outbox  *outbox // set in the sandbox
	apiURL  string
	closers []func()
}

// connect makes everything that can be made without asking anybody, and
// reports whatever keeps it from that.
func (w *wiring) connect(p *problems) {
	w.words(p)
	if w.scope == scopeSandbox {
		w.sandbox(p)
	} else {
		w.services(p)
	}
	// What the two services lack was reported in detail.
	check := w.cfg.mail
	check.DryRun, check.Logger = true, nil // what is to be said comes with the real one
	_, err := mailer.New(check)
	p.addError(err)
}

// words loads the templates. Those of a user are tried as a whole, so that a
// broken one is found before anybody is asked for anything.
func (w *wiring) words(p *problems) {
	if w.cfg.templates == "" {
		set, err := templates.New()
		p.addError(err)
		w.cfg.mail.Templates = set
		return
	}
	set, err := overlaid(w.cfg.templates)
	if err == nil {
		err = set.Validate()
	}
	if err != nil {
		for _, problem := range strings.Split(err.Error(), "\n") {
			p.add("INVITEMAILER_TEMPLATES", "%s", problem)
		}
		return
	}
	w.cfg.mail.Templates = set
}

// services makes the clients of the API and the SMTP server.
func (w *wiring) services(p *problems) {
	w.cfg.api.Logger, w.cfg.smtp.Logger = w.log, w.log
	w.cfg.smtp.Dial = w.dialSMTP
	client, err := cronofy.New(w.cfg.api)
	p.addError(err)
	if err == nil {
		w.cfg.mail.API, w.apiURL = client, client.BaseURL()
		w.closers = append(w.closers, client.Close)
	}
	if w.scope != scopeReal {
		return
	}
	submitter, err := submission.New(w.cfg.smtp)
	p.addError(err)
	if err == nil {
		w.cfg.mail.Submitter = submitter
		w.closers = append(w.closers, func() { _ = submitter.Shutdown(context.Background()) })
	}
}

// mailer opens the ledger and makes the mailer.
func (w *wiring) mailer(ctx context.Context) (*mailer.Mailer, error) {
	l, err := w.openLedger(ctx)
	if err != nil {
		return nil, err
	}
	if l != nil {
		w.cfg.mail.Ledger = l
	}
	if w.around != nil {
		w.around(&w.cfg.mail)
	}
	m, err := mailer.New(w.cfg.mail)
	if err == nil {
		w.closers = append(w.closers, func() { _ = m.Shutdown(context.Background()) })
	}
	return m, err
}

func (w *wiring) openLedger(ctx context.Context) (*sqlite.Ledger, error) {
	l, err := w.cfg.ledger.open(ctx, w.apiURL, w.cfg.mail.DryRun || w.scope == scopeLedger, w.log)
	if l != nil {
		// The last of all: the end of every mail is recorded in it.
		w.closers = slices.Insert(w.closers, 0, func() {
			if err := l.Shutdown(context.Background()); err != nil {
				w.log.Warn("the ledger could not be shut down", "error", err)
			}
		})
	}
	return l, err
}

// close closes what was opened, the last first.
func (w *wiring) close() {
	for len(w.closers) > 0 {
		last := len(w.closers) - 1
		w.closers[last]()
		w.closers = w.closers[:last]
	}
}

// ledgerCode is the exit code for a ledger that cannot be opened.
func ledgerCode(err error) exitCode {
	if errors.Is(err, ledger.ErrBusy) || errors.Is(err, context.Canceled) {
		return exitTempfail
	}
	return exitConfig
}

// misconfiguredLedger says why the ledger cannot be used.
func (inv *invocation) misconfiguredLedger(s settings, err error) exitCode {
	inv.misconfigured(s, []string{err.Error()})
	return ledgerCode(err)
}
