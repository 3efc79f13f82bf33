package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/internal/preview"
	"github.com/invitemailer/invitemailer/mailer"
)

// previewCmd composes without sending, and shows what would be sent.
type previewCmd struct {
	Files []string `arg:"" optional:"" name:"file" help:"Records to read, or - for standard input, which is read if no file is named and it is not a terminal."`

	Format  string `enum:"auto,json,jsonl,csv" default:"auto" placeholder:"FORM" help:"Form of the input: json, jsonl, csv, or auto to go by the extension or the first line."`
	JSON    bool   `name:"json" help:"Write results as JSON on a terminal too."`
	Out     string `default:"sandbox-out" placeholder:"DIR" help:"Where the .eml files and the page go (default sandbox-out)."`
	Sandbox bool   `help:"Simulate API and mail server inside this process, as a preview does anyway."`
	ICS     string `name:"ics" placeholder:"FILE" help:"A calendar to compose with, instead of one that is simulated."`
}

func (c *previewCmd) run(ctx context.Context, inv *invocation) exitCode {
	flags := &runFlags{Files: c.Files, Format: c.Format, JSON: c.JSON, Out: c.Out, Sandbox: true, Concurrency: 1,
		Lint: string(mailer.LintReport)}
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
		return inv.fail(exitUsage, err.Error()+"; see invitemailer --help")
	}
	return inv.deliver(ctx, flags, just(items))
}

// given is an API that answers everything with one calendar.
type given struct{ ics string }

func (g given) answer() (*cronofy.SmartInvite, error) {
	return &cronofy.SmartInvite{Attachments: cronofy.Attachments{ICalendar: g.ics}}, nil
}

// Create implements mailer.SmartInvites.
func (g given) Create(context.Context, *cronofy.InviteRequest) (*cronofy.SmartInvite, error) {
	return g.answer()
}

// Cancel implements mailer.SmartInvites.
func (g given) Cancel(context.Context, cronofy.Ref) (*cronofy.SmartInvite, error) { return g.answer() }

// Remove implements mailer.SmartInvites.
func (g given) Remove(context.Context, cronofy.Ref) (*cronofy.SmartInvite, error) { return g.answer() }

// pageName is the preview page among the messages of a sandbox.
const pageName = "preview.html"

// gallery is the preview page of a sandbox. It is begun with its first mail.
type gallery struct {
	dir  string
	file *os.File
	out  *bufio.Writer
	page *preview.Writer
}

// path is where the page is; empty if there is none.
func (g *gallery) path() string {
	if g.file == nil {
		return ""
	}
	return filepath.Join(g.dir, pageName)
}

func (g *gallery) add(m preview.Mail) error {
	if g.file == nil {
		f, err := newFile(g.dir, pageName)
		if err != nil {
			return err
		}
		g.file, g.out = f, bufio.NewWriter(f)
		if g.page, err = preview.NewWriter(g.out, preview.Options{Title: "What would be sent", Now: time.Now()}); err != nil {
			return err
		}
	}
	return g.page.Add(m)
}

func (g *gallery) close() error {
	if g.file == nil {
		return nil
	}
	return errors.Join(g.page.Close(), g.out.Flush(), g.file.Close())
}

// readerZone is the zone of the reader of a receipt, if the record names one.
func readerZone(item mailer.Item, recipient string) string {
	if item.Invite != nil {
		return item.Invite.Recipient.TZID
	}
	if item.Group != nil {
		for _, r := range item.Group.Recipients {
			if r.Email == recipient {
				return r.TZID
			}
		}
	}
	return ""
}
