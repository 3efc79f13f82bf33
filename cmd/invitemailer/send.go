package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/invitemailer/invitemailer/internal/record"
	"github.com/invitemailer/invitemailer/mailer"
)

// runFlags are the flags of every subcommand that works through an input.
type runFlags struct {
	Files []string `arg:"" optional:"" name:"file" help:"Records to read, or - for standard input, which is read if no file is named and it is not a terminal."`

	Format string `enum:"auto,json,jsonl,csv" default:"auto" placeholder:"FORM" help:"Form of the input: json, jsonl, csv, or auto to go by the extension or the first line."`
	JSON   bool   `name:"json" help:"Write results as JSON on a terminal too."`
	All    bool   `help:"Write what is unchanged too, as is done on a terminal anyway."`

	Sandbox  bool   `help:"Simulate API and mail server inside this process. Nothing leaves the machine."`
	Out      string `default:"sandbox-out" placeholder:"DIR" help:"Where the sandbox puts each message as an .eml file (default sandbox-out)."`
	DryRun   bool   `help:"Ask nobody, send nothing, and say what would be sent."`
	MaxMails atMost `placeholder:"N" help:"Stop before one more mail than N."`

	Concurrency int           `default:"4" placeholder:"N" help:"How many requests to the API are under way at once; 1 takes one invite after another (default 4)."`
	RetryFor    time.Duration `default:"2m" placeholder:"TIME" help:"How long temporary failures are tried again, and connecting to the mail server may take (default 2m)."`

	Resend          bool      `help:"Mail again what is sent already."`
	RetryFailed     bool      `help:"Try again what was refused for good."`
	OnUnknown       onUnknown `placeholder:"CHOICE" help:"What becomes of a mail of which it is not known whether it left. Without this flag the same bytes leave again, twice at most, 20 and 60 minutes after the first time or later, and then a person decides: resend repeats it now (do not leave that in a cron line, it would repeat it in every run), never repeats nothing."`
	Lint            string    `enum:"report,strict,off" default:"report" placeholder:"CHOICE" help:"What a broken rule in the API's calendar does: report it, stop the mail (strict), or nothing (off; default report). A mail that no client would show is stopped in any case."`
	AllowPast       bool      `help:"Mail invitations to events that are over."`
	AcceptOrganizer bool      `name:"accept-organizer-change" help:"Let a changed default organizer mail an update to everybody."`
	SameApplication bool      `help:"Record the API key as a new one of the application whose invites the ledger has. Needed once, after the key was replaced."`
	WithdrawMissing bool      `help:"Withdraw the invites of those who are no longer in the recipients of their record."`

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

// onUnknown is a choice on the command line. There is no variable for it: what
// stands in an environment for ever is nobody's decision about one mail.
type onUnknown mailer.OnUnknown

// UnmarshalText implements encoding.TextUnmarshaler. The mailer warns of the
// former name of never.
func (o *onUnknown) UnmarshalText(text []byte) error {
	switch *o = onUnknown(text); mailer.OnUnknown(*o) {
	case mailer.OnUnknownResend, mailer.OnUnknownNever, "hold":
		return nil
	}
	return fmt.Errorf("%q is neither resend nor never; leave it out to have the mail repeated twice at most", text)
}

// connectFor is what a connection to the mail server may take at least, however
// short the time for retries is: servers may look up who connects before they
// greet.
const connectFor = 15 * time.Second

// connectWithin is how long it may take to open a connection to the mail server.
func (f *runFlags) connectWithin() time.Duration { return max(connectFor, f.RetryFor) }

// usageError is what is wrong with a command line.
type usageError string

func (e usageError) Error() string { return string(e) }

func (f *runFlags) scope() scope {
	switch {
	case f.Sandbox:
		return scopeSandbox
	case f.DryRun:
		return scopeDryRun
	}
	return scopeReal
}

// apply hands the flags that are the mailer's business on to it.
func (f *runFlags) apply(c *mailer.Config) {
	c.DryRun, c.Resend, c.RetryFailed, c.AllowPast = f.DryRun, f.Resend, f.RetryFailed, f.AllowPast
	c.AcceptOrganizer, c.WithdrawMissing = f.AcceptOrganizer, f.WithdrawMissing
	c.OnUnknown, c.Lint = mailer.OnUnknown(f.OnUnknown), mailer.Lint(f.Lint)
}

// records reads the input. There must be one that nobody has to type.
func (f *runFlags) records(inv *invocation) (iter.Seq[mailer.Item], error) {
	names := f.Files
	if len(names) == 0 {
		if isTerminal(inv.Stdin) {
			return nil, usageError("no input: name a FILE, or pipe records into standard input")
		}
		names = []string{"-"}
	}
	return record.Files(names, inv.Stdin, record.Options{Format: record.Format(f.Format)}), nil
}

// sendCmd invites, and does whatever else its records ask for.
type sendCmd struct {
	runFlags
}

func (c *sendCmd) run(ctx context.Context, inv *invocation) exitCode {
	items, err := c.records(inv)
	if err != nil {
		return inv.fail(exitUsage, err.Error()+"; see invitemailer --help")
	}
	return inv.deliver(ctx, &c.runFlags, just(items))
}
