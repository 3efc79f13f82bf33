package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer/lint"
	"github.com/invitemailer/invitemailer/templates"
)

// templatesCmd writes the built-in templates out, or tries a user's own.
type templatesCmd struct {
	Export templatesExportCmd `cmd:"" help:"Write the built-in templates into DIR, to start your own from."`
	Check  templatesCheckCmd  `cmd:"" help:"${templates_check}"`
}

type templatesExportCmd struct {
	Dir string `arg:"" name:"dir" help:"A directory; files that exist are left alone."`
}

func (c *templatesExportCmd) run(_ context.Context, inv *invocation) exitCode {
	if err := templates.Export(c.Dir); err != nil {
		return inv.fail(exitData, fmt.Sprintf("templates export: %v; "+
			"name a new directory, or one without those files", err))
	}
	dir := safetext.Line(c.Dir)
	return inv.print("the built-in templates are in " + dir + "; TEMPLATES.md there says what they see. " +
		"Check yours with: invitemailer templates check " + dir)
}

type templatesCheckCmd struct {
	Dir string `arg:"" name:"dir" help:"The directory that INVITEMAILER_TEMPLATES will name."`
}

func (c *templatesCheckCmd) run(ctx context.Context, inv *invocation) exitCode {
	set, err := overlaid(c.Dir)
	if err != nil {
		return inv.fail(exitData, err.Error())
	}
	if err := set.Validate(); err != nil {
		return inv.fail(exitData, strings.Split(err.Error(), "\n")...)
	}
	out := bufio.NewWriter(inv.Stdout)
	rendered, wrong := 0, 0
	for s := range set.Samples() {
		if ctx.Err() != nil {
			return exitTempfail
		}
		name := fmt.Sprintf("%s, %s, event %q", s.Lang, s.Kind, s.Event)
		if s.Set != "" {
			name = s.Set + ": " + name
		}
		rendered++
		if s.Err != nil {
			continue // for want of Data.Data alone: Validate had no complaint
		}
		findings, err := lintSample(ctx, s)
		if err != nil {
			wrong++
			fmt.Fprintf(out, "error    %s: %s\n", safetext.Line(name), safetext.Line(err.Error()))
		}
		for _, f := range findings {
			fmt.Fprintf(out, "%-7s  %s: %s %s: %s\n", f.Level, safetext.Line(name), f.Rule,
				safetext.Line(f.Where), safetext.Line(f.What))
			if f.Level == lint.Error {
				wrong++
			}
		}
	}
	if err := out.Flush(); err != nil {
		return inv.unwritten(err)
	}
	_, _ = fmt.Fprintf(inv.Stderr, "invitemailer: %d mails rendered and checked, %d wrong\n", rendered, wrong)
	if wrong > 0 {
		return exitData
	}
	return exitOK
}

// overlaid returns the templates with those of a directory, if there is one, laid over them.
func overlaid(dir string) (set *templates.Set, err error) {
	if dir == "" {
		return templates.New()
	}
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		err = errors.New("it is not a directory")
	case err == nil:
		set, err = templates.New(os.DirFS(dir))
	}
	if err != nil {
		return nil, fmt.Errorf("the templates in %s cannot be used: %w", dir, err)
	}
	return set, nil
}

// lintSample puts a sample into a mail about its event, which the simulator makes, and checks it.
func lintSample(ctx context.Context, s templates.Sample) ([]lint.Finding, error) {
	client, err := simulatedAPI(cronofytest.Organizer{})
	if err != nil {
		return nil, err
	}
	request := sampleRequest(s.Data)
	answer, err := client.Create(ctx, request)
	if err == nil && (s.Kind == templates.Cancellation || s.Kind == templates.Withdrawal) {
		ref := cronofy.Ref{SmartInviteID: request.SmartInviteID, Recipient: request.Recipient.Email}
		answer, err = client.Cancel(ctx, ref)
	}
	if err != nil {
		return nil, err
	}
	c, err := calendar.Read(answer.Attachments.ICalendar)
	if err != nil {
		return nil, err
	}
	from, fromErr := address.Parse(request.Organizer.Email)
	to, toErr := address.Parse(request.Recipient.Email)
	if err := errors.Join(fromErr, toErr); err != nil {
		return nil, err
	}
	composed, err := message.Compose(message.Message{
		From: message.Mailbox{Address: from}, To: message.Mailbox{Address: to},
		Subject: s.Content.Subject, Text: s.Content.Text, HTML: s.Content.HTML,
		Calendar: c.Bytes(), Method: c.Method, Date: time.Now(), MessageID: "check@" + from.Domain(),
	})
	if err != nil {
		return nil, err
	}
	return lint.Check(composed.Bytes, lint.Options{Profile: lint.Own}), nil
}

// sampleRequest asks for the event of a sample. What the API requires, such as a title, is made up.
func sampleRequest(d templates.Data) *cronofy.InviteRequest {
	start := d.Start
	if start.IsZero() {
		start = time.Date(2087, 4, 29, 9, 30, 0, 0, time.UTC)
	}
	end := d.End
	if !end.After(start) {
		end = start.Add(time.Hour)
	}
	e := &cronofy.Event{
		Summary: cmp.Or(d.Summary, "(no title)"), Description: d.Description, TZID: d.TZID,
		Start: cronofy.EventTime{Time: start, DateOnly: d.AllDay},
		End:   cronofy.EventTime{Time: end, DateOnly: d.AllDay},
	}
	if d.Location != "" {
		e.Location = &cronofy.Location{Description: d.Location}
	}
	return &cronofy.InviteRequest{
		SmartInviteID: "check", Event: e, Recipient: &cronofy.Recipient{Email: "ann@example.org"},
		Organizer: &cronofy.Organizer{Name: d.Organizer.Name, Email: "jane@example.com"},
	}
}
