package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// sandboxOrganizer invites where neither record nor settings name an organizer.
var sandboxOrganizer = mailer.Organizer{Name: "Sandbox organizer", Email: "organizer@sandbox.example"}

// sandbox puts a simulator of the API and an SMTP server, inside this process, for the real ones.
func (s *setup) sandbox(flags *runFlags) {
	if err := os.MkdirAll(flags.Out, 0o750); err != nil {
		s.add("--out", "%v; name a directory that this user can write", err)
		return
	}
	s.outbox = &outbox{dir: flags.Out, waiting: make(map[string][]byte)}
	client, err := simulatedAPI(cronofytest.Organizer(sandboxOrganizer))
	s.addError(err)
	inbox := submissiontest.NewInbox(submissiontest.Options{SMTPUTF8: true, Handle: s.outbox.accept})
	s.closers = append(s.closers, func() { _ = inbox.Close() })
	submitter, err := submission.New(submission.Config{
		Host: "localhost", HELOName: "localhost", TLS: submission.TLSNone, Dial: inbox.Dial,
	})
	s.addError(err)
	if len(s.texts) > 0 {
		return
	}
	s.closers = append(s.closers, func() { _ = submitter.Shutdown(context.Background()) })
	m := &s.cfg.mail
	if m.Organizer == (mailer.Organizer{}) {
		m.Organizer = sandboxOrganizer
	}
	m.API, m.Submitter, m.PastWarns = simulated{client}, submitter, true
	if flags.calendar != "" {
		m.API = oneCalendar{flags.calendar}
	}
}

// simulatedAPI returns a client of a new simulator.
func simulatedAPI(organizer cronofytest.Organizer) (*cronofy.Client, error) {
	api := cronofytest.New(cronofytest.Options{DefaultOrganizer: organizer})
	return cronofy.New(cronofy.Config{
		APIKey: "sandbox", Transport: api.Transport(), RatePerSecond: -1, RatePerMinute: -1,
	})
}

// simulated begins without any invites: for a cancellation it makes one up.
type simulated struct{ *cronofy.Client }

func (s simulated) Cancel(ctx context.Context, ref cronofy.Ref) (*cronofy.SmartInvite, error) {
	answer, err := s.Client.Cancel(ctx, ref)
	if cronofy.StatusOf(err) != http.StatusNotFound {
		return answer, err
	}
	start := time.Now().UTC().Truncate(time.Hour).AddDate(0, 0, 1)
	request := &cronofy.InviteRequest{SmartInviteID: ref.SmartInviteID, Event: &cronofy.Event{
		Summary: "Event of the sandbox",
		Start:   cronofy.EventTime{Time: start}, End: cronofy.EventTime{Time: start.Add(time.Hour)},
	}}
	if ref.Recipient != "" {
		request.Recipient = &cronofy.Recipient{Email: ref.Recipient}
	}
	for _, address := range ref.Recipients {
		request.Recipients = append(request.Recipients, cronofy.Recipient{Email: address})
	}
	if _, err := s.Create(ctx, request); err != nil {
		return nil, err
	}
	return s.Client.Cancel(ctx, ref)
}

// oneCalendar is an API that answers everything with one calendar.
type oneCalendar struct{ ics string }

func (c oneCalendar) answer() (*cronofy.SmartInvite, error) {
	return &cronofy.SmartInvite{Attachments: cronofy.Attachments{ICalendar: c.ics}}, nil
}

func (c oneCalendar) Create(context.Context, *cronofy.InviteRequest) (*cronofy.SmartInvite, error) {
	return c.answer()
}

func (c oneCalendar) Cancel(context.Context, cronofy.Ref) (*cronofy.SmartInvite, error) {
	return c.answer()
}

func (c oneCalendar) Remove(context.Context, cronofy.Ref) (*cronofy.SmartInvite, error) {
	return c.answer()
}

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
