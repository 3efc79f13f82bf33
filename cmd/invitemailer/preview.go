package main

import (
	"context"
	"fmt"
	"os"

	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/mailer"
)

// previewCmd composes without sending, and shows what would be sent.
type previewCmd struct {
	Files []string `arg:"" optional:"" name:"file" help:"${files}"`

	Format  string `enum:"auto,json,jsonl,csv" default:"auto" placeholder:"FORM" help:"${format}"`
	JSON    bool   `name:"json" help:"Write results as JSON on a terminal too."`
	Out     string `default:"sandbox-out" placeholder:"DIR" help:"${preview_out}"`
	Sandbox bool   `help:"Simulate API and mail server inside this process, as a preview does anyway."`
	ICS     string `name:"ics" placeholder:"FILE" help:"A calendar to compose with, instead of one that is simulated."`
}

func (c *previewCmd) run(ctx context.Context, inv *invocation) exitCode {
	flags := &runFlags{
		Files: c.Files, Format: c.Format, JSON: c.JSON, Out: c.Out,
		Sandbox: true, Concurrency: 1, Lint: string(mailer.LintReport),
	}
	if c.ICS != "" {
		text, err := os.ReadFile(c.ICS)
		if err == nil {
			_, err = calendar.Read(string(text))
		}
		if err != nil {
			return inv.fail(exitUsage, fmt.Sprintf("--ics %s: %v; name an iCalendar file", c.ICS, err))
		}
		flags.calendar = string(text)
	}
	items, err := flags.records(inv)
	if err != nil {
		return inv.usage(err)
	}
	return inv.deliver(ctx, flags, only(items))
}
