package main

import (
	"context"
	"time"

	"github.com/invitemailer/invitemailer/mailer"
)

// sendCmd invites, and does whatever else its records ask for.
type sendCmd struct {
	runFlags
}

func (c *sendCmd) run(ctx context.Context, inv *invocation) exitCode {
	items, err := c.records(inv)
	if err != nil {
		return inv.usage(err)
	}
	return inv.deliver(ctx, &c.runFlags, only(items))
}

// runFlags are the flags of every subcommand that works through an input.
type runFlags struct {
	Files []string `arg:"" optional:"" name:"file" help:"${files}"`

	Format string `enum:"auto,json,jsonl,csv" default:"auto" placeholder:"FORM" help:"${format}"`
	JSON   bool   `name:"json" help:"Write results as JSON on a terminal too."`
	All    bool   `help:"Write what is unchanged too, as is done on a terminal anyway."`

	Sandbox  bool   `help:"Simulate API and mail server inside this process. Nothing leaves the machine."`
	Out      string `default:"sandbox-out" placeholder:"DIR" help:"${out}"`
	DryRun   bool   `help:"Ask nobody, send nothing, and say what would be sent."`
	MaxMails atMost `placeholder:"N" help:"Stop before one more mail than N."`

	Concurrency int           `default:"4" placeholder:"N" help:"${concurrency}"`
	RetryFor    time.Duration `default:"2m" placeholder:"TIME" help:"${retry_for}"`

	Resend          bool      `help:"Mail again what is sent already."`
	RetryFailed     bool      `help:"Try again what was refused for good."`
	OnUnknown       onUnknown `placeholder:"CHOICE" help:"${on_unknown}"`
	Lint            string    `enum:"report,strict,off" default:"report" placeholder:"CHOICE" help:"${lint}"`
	AllowPast       bool      `help:"Mail invitations to events that are over."`
	AcceptOrganizer bool      `name:"accept-organizer-change" help:"${accept_organizer}"`
	SameApplication bool      `help:"${same_application}"`
	WithdrawMissing bool      `help:"${withdraw_missing}"`

	calendar string // what the sandbox answers, for a preview
}

// Validate implements kong's hook.
func (f *runFlags) Validate() error {
	switch {
	case f.Concurrency < 1 || f.Concurrency > 1000:
		return usageError("--concurrency must be between 1 and 1000")
	case f.RetryFor < 0:
		return usageError("--retry-for must not be negative")
	case f.Sandbox && f.DryRun:
		return usageError("--sandbox and --dry-run exclude each other")
	}
	return nil
}

func (f *runFlags) scope() scope {
	switch {
	case f.Sandbox:
		return scopeSandbox
	case f.DryRun:
		return scopeDryRun
	}
	return scopeReal
}

// minConnect is for a connection, whatever --retry-for says: servers look up who connects.
const minConnect = 15 * time.Second

// apply puts the flags into the configuration.
func (f *runFlags) apply(c *configuration) {
	m := &c.mail
	m.DryRun, m.Resend, m.RetryFailed, m.AllowPast = f.DryRun, f.Resend, f.RetryFailed, f.AllowPast
	m.AcceptOrganizer, m.WithdrawMissing = f.AcceptOrganizer, f.WithdrawMissing
	m.OnUnknown, m.Lint = mailer.OnUnknown(f.OnUnknown), mailer.Lint(f.Lint)
	c.smtp.OpenTimeout = max(minConnect, f.RetryFor)
	c.ledger.SameApplication = f.SameApplication
}
