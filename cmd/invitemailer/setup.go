package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// setup is what a subcommand works with. It closes in the end what it opened.
type setup struct {
	problems
	inv    *invocation
	cfg    *configuration
	scope  scope
	log    *slog.Logger
	apiURL string
	outbox *outbox // set in the sandbox

	closers []func()
}

// setup reads the settings as far as the scope goes. What is wrong with them is among the problems.
func (inv *invocation) setup(sc scope) *setup {
	s := &setup{inv: inv, scope: sc}
	values, err := load(inv.flags)
	s.addError(err)
	s.cfg = configure(values, sc, &s.problems)
	s.log = s.cfg.logger(inv.screen)
	return s
}

// misconfigured reports all problems of the settings at once, in the form that logs have.
func (s *setup) misconfigured(more ...string) exitCode {
	all := slices.Concat(s.texts, more)
	if !s.cfg.json {
		return s.inv.fail(exitConfig, all...)
	}
	logger := slog.New(slog.NewJSONHandler(safetext.JSONWriter(s.inv.Stderr), nil))
	for _, p := range all {
		logger.Error(p)
	}
	return exitConfig
}

// unusableLedger says why the ledger cannot be opened.
func (s *setup) unusableLedger(err error) exitCode {
	s.misconfigured(forUsers(err.Error()))
	return ledgerCode(err)
}

// connect makes everything that can be made without a request, and adds the problems of all of it.
func (s *setup) connect(flags *runFlags) {
	s.templates()
	if s.scope == scopeSandbox {
		s.sandbox(flags)
	} else {
		s.services()
	}
	// What the two services lack was reported in detail.
	check := s.cfg.mail
	check.DryRun, check.Logger = true, nil // the mailer that follows logs what there is to say
	_, err := mailer.New(check)
	s.addError(err)
}

// templates loads the templates, and finds what is broken in a user's before the first request.
func (s *setup) templates() {
	dir := s.cfg.templates
	set, err := overlaid(dir)
	if err == nil && dir != "" {
		err = set.Validate()
	}
	if err != nil {
		for problem := range strings.SplitSeq(err.Error(), "\n") {
			s.add("INVITEMAILER_TEMPLATES", "%s", problem)
		}
		return
	}
	s.cfg.mail.Templates = set
}

// services makes the clients of the API and, if the scope has it, of the SMTP server.
func (s *setup) services() {
	if client := s.client(); client != nil {
		s.cfg.mail.API, s.apiURL = client, client.BaseURL()
	}
	if s.scope != scopeReal {
		return
	}
	s.cfg.smtp.Logger, s.cfg.smtp.Dial = s.log, s.inv.DialSMTP
	submitter, err := submission.New(s.cfg.smtp)
	s.addError(err)
	if err == nil {
		s.cfg.mail.Submitter = submitter
		s.closers = append(s.closers, func() { _ = submitter.Shutdown(context.Background()) })
	}
}

// client makes the client of the API; nil if its configuration is wrong.
func (s *setup) client() *cronofy.Client {
	s.cfg.api.Logger = s.log
	client, err := cronofy.New(s.cfg.api)
	s.addError(err)
	if err != nil {
		return nil
	}
	s.closers = append(s.closers, client.Close)
	return client
}

// mailer opens the ledger and makes the mailer.
func (s *setup) mailer(ctx context.Context) (*mailer.Mailer, error) {
	l, err := s.openLedger(ctx)
	if err != nil {
		return nil, err
	}
	if l != nil {
		s.cfg.mail.Ledger = l
	}
	if s.inv.Around != nil {
		s.inv.Around(&s.cfg.mail)
	}
	m, err := mailer.New(s.cfg.mail)
	if err == nil {
		s.closers = append(s.closers, func() { _ = m.Shutdown(context.Background()) })
	}
	return m, err
}

// openLedger opens the ledger. It is nil if there is to be none, or none to be read.
func (s *setup) openLedger(ctx context.Context) (*sqlite.Ledger, error) {
	if s.cfg.noLedger {
		return nil, nil
	}
	o := s.cfg.ledger
	o.APIURL, o.Logger, o.BusyTimeout = s.apiURL, s.log, s.inv.BusyTimeout
	if !o.Memory && (s.cfg.mail.DryRun || s.scope == scopeLedger) {
		if _, err := os.Stat(o.Path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		o.DryRun = true
	}
	l, err := sqlite.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	// The last of all: the end of every mail is recorded in it.
	s.closers = slices.Insert(s.closers, 0, func() {
		if err := l.Shutdown(context.Background()); err != nil {
			s.log.Warn("the ledger could not be shut down", "error", err)
		}
	})
	return l, nil
}

// withLedger opens the ledger of any API. One that is not there is not made: it knows nothing. The
// context of do ends at the first signal.
func (inv *invocation) withLedger(
	ctx context.Context, do func(context.Context, *setup, *sqlite.Ledger) exitCode,
) exitCode {
	s := inv.setup(scopeLedger)
	defer s.close()
	if len(s.texts) > 0 {
		return s.misconfigured()
	}
	warnOfMisspelt(s.log)
	l, err := s.openLedger(ctx)
	if l == nil && err == nil {
		s.log.Warn("there is no ledger yet, so nothing is known", "ledger", s.cfg.ledger.Path)
		s.cfg.ledger = sqlite.Options{Memory: true, Path: s.cfg.ledger.Path}
		l, err = s.openLedger(ctx)
	}
	if err != nil {
		return s.unusableLedger(err)
	}
	if !l.Application().Known {
		return s.misconfigured(fmt.Sprintf("INVITEMAILER_APPLICATION: the ledger %s has no application %q; "+
			"name one that it has", s.cfg.ledger.Path, s.cfg.ledger.Application))
	}
	return do(ctx, s, l)
}

// ledgerFailed says what an open ledger could not do.
func (s *setup) ledgerFailed(err error) exitCode {
	s.log.Error(err.Error())
	return ledgerCode(err)
}

// ledgerCode is the exit code for a ledger that cannot be used.
func ledgerCode(err error) exitCode {
	if errors.Is(err, ledger.ErrBusy) || errors.Is(err, context.Canceled) {
		return exitTempfail
	}
	return exitConfig
}

// close closes what was opened, the last first.
func (s *setup) close() {
	for _, c := range slices.Backward(s.closers) {
		c()
	}
}
