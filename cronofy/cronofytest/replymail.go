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
	"github.com/invitemailer/invitemailer/internal/zone"
)

// dialect is a way in which mail clients write answers: the shape of the mail, not every habit of
// the client.
type dialect struct {
	prodid      string
	zone        string // the TZID; "" writes UTC, "IANA" the name of the zone
	comment     string // the property
	noOrganizer bool
	attached    bool            // the calendar once more as an attachment
	encoding    gomail.Encoding // of text and calendar
}

var dialects = map[string]dialect{
	"google": {
		prodid: "-//Google Inc//Google Calendar 70.9054//EN", comment: "COMMENT", attached: true,
		encoding: gomail.EncodingQP,
	},
	"outlook": {
		prodid: "Microsoft Exchange Server 2010", zone: "Customized Time Zone",
		comment: "COMMENT;LANGUAGE=en-US", encoding: gomail.EncodingB64,
	},
	"apple": {
		prodid: "-//Apple Inc.//macOS 15.0//EN", zone: "IANA", comment: "COMMENT", noOrganizer: true,
		encoding: gomail.EncodingQP,
	},
}

// ReplyMail writes the mail by which a mail client answers an invitation mail: METHOD REPLY, or
// COUNTER if the answer has a proposal. The answer's InviteID is not looked at, since the mail
// says which invite it is; Recipient may be empty if there is one ATTENDEE only. With By, that
// person answers, as people do to whom an invitation was forwarded. It goes to the ORGANIZER. The
// client is one of
//
//   - "google": text and calendar as alternatives, the calendar attached once more, times in UTC
//   - "outlook": the calendar in base64, in a time zone that only its VTIMEZONE explains
//   - "apple": a calendar without ORGANIZER, times in an IANA zone
func ReplyMail(invitation []byte, a Answer, client string) ([]byte, error) {
	m, err := readMail(invitation)
	if err != nil {
		return nil, fmt.Errorf("the invitation: %w", err)
	}
	events := slices.Collect(m.calendar.All("VEVENT"))
	if m.method != "REQUEST" || len(events) == 0 {
		return nil, errors.New("the invitation: this is no METHOD:REQUEST with an event: " +
			"give the mail that asks for an answer")
	}
	r, err := newReplyMessage(m, events[0], a)
	if err != nil {
		return nil, err
	}
	d, known := dialects[client]
	if !known {
		return nil, fmt.Errorf("client %q is unknown: use google, outlook or apple", client)
	}
	return r.mail(d)
}

// replyMessage is an answer before it is written in a dialect.
type replyMessage struct {
	Answer
	method, subject        string
	from, to               *mail.Address
	inReplyTo              string
	uid, sequence, summary string
	start, end             cronofy.EventTime
	organizer              string
}

func newReplyMessage(m *calendarMail, event *ical.Component, a Answer) (*replyMessage, error) {
	r := &replyMessage{
		Answer: a, method: "REPLY", inReplyTo: m.id,
		uid: trimmed(event, "UID"), sequence: trimmed(event, "SEQUENCE"),
		summary: ical.UnescapeText(event.Value("SUMMARY")),
	}
	if r.At = a.At.UTC(); a.At.IsZero() {
		r.At = time.Now().UTC()
	}
	organizer, _ := event.Get("ORGANIZER")
	if organizer == nil {
		return nil, errors.New("the invitation: it has no ORGANIZER that an answer could go to")
	}
	var err error
	if r.to, err = mail.ParseAddress(address(organizer)); err != nil {
		return nil, errors.New("the invitation: its ORGANIZER has no mail address that an answer could go to")
	}
	r.organizer = organizer.Value
	who := cmp.Or(a.By, a.Recipient)
	if attendee, n := event.Get("ATTENDEE"); who == "" && n == 1 {
		who = address(attendee)
	}
	if r.from, err = mail.ParseAddress(who); err != nil {
		return nil, errors.New("answer: it is not clear who answers: set Recipient or By to a mail address")
	}
	if a.Status == statusPending || partstats[a.Status] == "" {
		return nil, fmt.Errorf("status %q is no answer that can be mailed: "+
			"use accepted, tentative or declined", a.Status)
	}
	r.subject = strings.ToUpper(a.Status[:1]) + a.Status[1:] + ": " + r.summary
	start, end, tzid, err := span(m.calendar, event, "Etc/UTC")
	if err != nil {
		return nil, fmt.Errorf("the invitation: %w", err)
	}
	isDay := len(trimmed(event, "DTSTART")) == len("20060102")
	if p := a.Proposal; p != nil {
		r.method, r.subject = "COUNTER", "New time proposed: "+r.summary
		start, end, tzid, isDay = p.Start, p.End, cmp.Or(p.TZID, "Etc/UTC"), false
	}
	if _, ok := zone.Load(tzid); !ok {
		return nil, fmt.Errorf("proposal: time zone %q is unknown: use an IANA identifier", tzid)
	}
	r.start = cronofy.EventTime{Time: start, TZID: tzid, DateOnly: isDay}
	r.end = cronofy.EventTime{Time: end, TZID: tzid, DateOnly: isDay}
	return r, nil
}

// calendar writes the answer.
func (r *replyMessage) calendar(d dialect) string {
	w := &writer{eol: "\r\n"}
	w.line("BEGIN:VCALENDAR")
	w.line("PRODID:" + d.prodid)
	w.line("VERSION:2.0")
	w.line("METHOD:" + r.method)
	start, end := clock{EventTime: r.start}, clock{EventTime: r.end}
	if d.zone != "" && !r.start.DateOnly {
		start.loc, _ = zone.Load(r.start.TZID)
		if d.zone != "IANA" {
			start.TZID = d.zone
		}
		end.loc, end.TZID = start.loc, start.TZID
		w.timezone(start.TZID, start.loc, start.Time, end.Time)
	}
	w.line("BEGIN:VEVENT")
	w.line("UID:" + r.uid)
	w.line("DTSTAMP:" + r.At.Format(utcForm))
	if r.sequence != "" {
		w.line("SEQUENCE:" + r.sequence)
	}
	w.time("DTSTART", start)
	w.time("DTEND", end)
	w.text("SUMMARY", r.summary)
	if !d.noOrganizer {
		w.line("ORGANIZER:" + r.organizer)
	}
	w.line("ATTENDEE;PARTSTAT=" + partstats[r.Status] + ":" + mailto(r.from.Address))
	w.text(d.comment, r.Comment)
	w.line("END:VEVENT")
	w.line("END:VCALENDAR")
	return w.String()
}

// mail writes the text and the calendar as alternatives, and the attachment around them.
func (r *replyMessage) mail(d dialect) ([]byte, error) {
	ics := r.calendar(d)
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(d.encoding))
	m.SetGenHeader("From", r.from.String())
	m.SetGenHeader("To", r.to.String())
	m.SetGenHeader(gomail.HeaderSubject, printable(strings.ReplaceAll(r.subject, "\n", " ")))
	m.SetGenHeader(gomail.HeaderDate, r.At.Format(time.RFC1123Z))
	m.SetMessageID()
	if r.inReplyTo != "" {
		m.SetGenHeader(gomail.HeaderInReplyTo, r.inReplyTo)
	}
	m.SetBodyString(gomail.TypeTextPlain, lineEnds.Replace(r.subject+"\n\n"+r.Comment)+"\n")
	m.AddAlternativeString(gomail.ContentType("text/calendar; method="+r.method), ics)
	if d.attached {
		m.AttachReadSeeker("invite.ics", strings.NewReader(ics), gomail.WithFileContentType("application/ics"))
	}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("writing the mail: %w", err)
	}
	return b.Bytes(), nil
}
