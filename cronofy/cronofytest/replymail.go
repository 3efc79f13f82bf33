package cronofytest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/ical"
)

// ReplyMail writes the mail by which a mail client answers an invitation mail: text and calendar
// as alternatives, with METHOD REPLY, or COUNTER if the answer has a proposal, to the ORGANIZER.
// Times are in UTC. The answer's InviteID is not looked at, since the mail says which invite it
// is; Recipient may be empty if there is one ATTENDEE only. With By, that person answers, as
// people do to whom an invitation was forwarded.
func ReplyMail(invitation []byte, a Answer) ([]byte, error) {
	m, err := readMail(invitation)
	if err != nil {
		return nil, fmt.Errorf("the invitation: %w", err)
	}
	events := slices.Collect(m.calendar.All("VEVENT"))
	if m.method != "REQUEST" || len(events) == 0 {
		return nil, errors.New("the invitation: this is no METHOD:REQUEST with an event: " +
			"give the mail that asks for an answer")
	}
	event := events[0]
	organizer, _ := event.Get("ORGANIZER")
	if organizer == nil {
		return nil, errors.New("the invitation: it has no ORGANIZER that an answer could go to")
	}
	to, err := mail.ParseAddress(address(organizer))
	if err != nil {
		return nil, errors.New("the invitation: its ORGANIZER has no mail address that an answer could go to")
	}
	who := cmp.Or(a.By, a.Recipient)
	if attendee, n := event.Get("ATTENDEE"); who == "" && n == 1 {
		who = address(attendee)
	}
	from, err := mail.ParseAddress(who)
	if err != nil {
		return nil, errors.New("answer: it is not clear who answers: set Recipient or By to a mail address")
	}
	if a.Status == statusPending || partstats[a.Status] == "" {
		return nil, fmt.Errorf("status %q is no answer that can be mailed: "+
			"use accepted, tentative or declined", a.Status)
	}
	start, end, _, err := span(m.calendar, event, "Etc/UTC")
	if err != nil {
		return nil, fmt.Errorf("the invitation: %w", err)
	}
	method, isDay := "REPLY", len(trimmed(event, "DTSTART")) == len("20060102")
	summary := ical.UnescapeText(event.Value("SUMMARY"))
	subject := strings.ToUpper(a.Status[:1]) + a.Status[1:] + ": " + summary
	if p := a.Proposal; p != nil {
		method, start, end, isDay = "COUNTER", p.Start, p.End, false
		subject = "New time proposed: " + summary
	}
	if a.At.IsZero() {
		a.At = time.Now()
	}

	w := &writer{eol: "\r\n"}
	w.line("BEGIN:VCALENDAR")
	w.line("PRODID:-//cronofytest//Mail client 1.0//EN")
	w.line("VERSION:2.0")
	w.line("METHOD:" + method)
	w.line("BEGIN:VEVENT")
	w.line("UID:" + trimmed(event, "UID"))
	w.line("DTSTAMP:" + a.At.UTC().Format(utcForm))
	if sequence := trimmed(event, "SEQUENCE"); sequence != "" {
		w.line("SEQUENCE:" + sequence)
	}
	w.time("DTSTART", clock{EventTime: cronofy.EventTime{Time: start, DateOnly: isDay}})
	w.time("DTEND", clock{EventTime: cronofy.EventTime{Time: end, DateOnly: isDay}})
	w.text("SUMMARY", summary)
	w.line("ORGANIZER:" + organizer.Value)
	w.line("ATTENDEE;PARTSTAT=" + partstats[a.Status] + ":" + mailto(from.Address))
	w.text("COMMENT", a.Comment)
	w.line("END:VEVENT")
	w.line("END:VCALENDAR")

	out := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	out.SetGenHeader("From", from.String())
	out.SetGenHeader("To", to.String())
	out.SetGenHeader(gomail.HeaderSubject, printable(strings.ReplaceAll(subject, "\n", " ")))
	out.SetGenHeader(gomail.HeaderDate, a.At.UTC().Format(time.RFC1123Z))
	out.SetMessageID()
	if m.id != "" {
		out.SetGenHeader(gomail.HeaderInReplyTo, m.id)
	}
	out.SetBodyString(gomail.TypeTextPlain, lineEnds.Replace(subject+"\n\n"+a.Comment)+"\n")
	out.AddAlternativeString(gomail.ContentType("text/calendar; method="+method), w.String())
	var b bytes.Buffer
	if _, err := out.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("writing the mail: %w", err)
	}
	return b.Bytes(), nil
}
