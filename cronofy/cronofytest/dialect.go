package cronofytest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// Dialect is a way in which mail clients write answers.
type Dialect string

// The dialects of [ReplyMail]: what they stand for is the shape of the mail, not every habit of the client.
const (
	// DialectGoogle is multipart/mixed with text and calendar as alternatives and the calendar attached once more; times in UTC.
	DialectGoogle Dialect = "google"
	// DialectOutlook is multipart/alternative with the calendar in base64; the time zone is one that only its VTIMEZONE explains, and
	// COMMENT has a language.
	DialectOutlook Dialect = "outlook"
	// DialectApple is multipart/alternative with a calendar that leaves out the ORGANIZER; times in an IANA zone.
	DialectApple Dialect = "apple"
)

// Dialects returns every dialect, for tables of tests.
func Dialects() []Dialect { return []Dialect{DialectGoogle, DialectOutlook, DialectApple} }

// ReplyMail writes the mail by which a mail client answers an invitation mail: METHOD REPLY, or COUNTER if the answer has a proposal. The
// answer's InviteID is not looked at, since the mail says which invite it is; Recipient may be empty if there is one ATTENDEE only.
// With By, that person answers as those do to whom an invitation was forwarded. It goes to the ORGANIZER.
func ReplyMail(invitation []byte, a Answer, d Dialect) ([]byte, error) {
	m, problem := readMail(invitation)
	if problem != nil {
		return nil, fmt.Errorf("the invitation: %w", problem)
	}
	events := slices.Collect(m.calendar.All("VEVENT"))
	if m.method != "REQUEST" || len(events) == 0 {
		return nil, errors.New("the invitation: this is no METHOD:REQUEST with an event: give the mail that asks for an answer")
	}
	r, err := newReplyMessage(m, events[0], a)
	if err != nil {
		return nil, err
	}
	switch d {
	case DialectGoogle:
		return r.google(), nil
	case DialectOutlook:
		return r.outlook(), nil
	case DialectApple:
		return r.apple(), nil
	default:
		return nil, fmt.Errorf("dialect %q is unknown: use one of %v", d, Dialects())
	}
}

// replyMessage is an answer before it is written in a dialect.
type replyMessage struct {
	method, partstat, subject string
	from, to                  *mail.Address
	inReplyTo                 string
	at                        time.Time
	comment                   string
	uid, sequence, summary    string
	start, end                eventTime
	organizer                 *ical.Property
}

func newReplyMessage(m *calendarMail, event *ical.Component, a Answer) (*replyMessage, error) {
	r := &replyMessage{
		method: "REPLY", partstat: partstat(a.Status), inReplyTo: m.id, at: a.At.UTC(), comment: a.Comment,
		uid: value(event, "UID"), sequence: value(event, "SEQUENCE"),
	}
	if a.At.IsZero() {
		r.at = time.Now().UTC()
	}
	if summary, _ := event.Get("SUMMARY"); summary != nil {
		r.summary = summary.Text()
	}
	if r.organizer, _ = event.Get("ORGANIZER"); r.organizer == nil {
		return nil, errors.New("the invitation: it has no ORGANIZER that an answer could go to")
	}
	var err error
	if r.to, err = mail.ParseAddress(address(r.organizer)); err != nil {
		return nil, errors.New("the invitation: its ORGANIZER has no mail address that an answer could go to")
	}
	who := a.By
	if who == "" {
		who = a.Recipient
	}
	if attendee, n := event.Get("ATTENDEE"); who == "" && n == 1 {
		who = address(attendee)
	}
	if r.from, err = mail.ParseAddress(who); err != nil {
		return nil, errors.New("answer: it is not clear who answers: set Recipient or By to a mail address")
	}
	words := map[string]string{statusAccepted: "Accepted", statusTentative: "Tentative", statusDeclined: "Declined"}
	word, ok := words[a.Status]
	if !ok {
		return nil, fmt.Errorf("status %q is no answer that can be mailed: use accepted, tentative or declined", a.Status)
	}
	z := new(zones)
	start, end, tzid, err := z.span(m.calendar, event, "")
	if err != nil {
		return nil, fmt.Errorf("the invitation: %w", err)
	}
	begin, _ := event.Get("DTSTART") // which span has read
	isDay := a.Proposal == nil && len(strings.TrimSpace(begin.Value)) == len("20060102")
	if p := a.Proposal; p != nil {
		r.method, word = "COUNTER", "New time proposed"
		start, end, tzid = p.Start, p.End, p.TZID
	}
	if tzid == "" {
		tzid = "Etc/UTC"
	}
	if z.load(tzid) == nil {
		return nil, fmt.Errorf("proposal: time zone %q is unknown: use an IANA identifier", tzid)
	}
	r.start, r.end = eventTime{instant: start, tzid: tzid, day: isDay}, eventTime{instant: end, tzid: tzid, day: isDay}
	r.subject = word + ": " + r.summary
	return r, nil
}

// calendar writes the answer. zone is the name that the time zone gets; empty writes UTC.
func (r *replyMessage) calendar(prodid, zone, comment string, organizer bool) string {
	w := newWriter(true)
	w.line("BEGIN:VCALENDAR")
	w.line("PRODID:" + prodid)
	w.line("VERSION:2.0")
	w.line("METHOD:" + r.method)
	start, end := clock{eventTime: r.start}, clock{eventTime: r.end}
	if zone != "" && !r.start.day {
		loc := new(zones).load(r.start.tzid)
		start.loc, start.tzid, end.loc, end.tzid = loc, zone, loc, zone
		w.timezone(zone, loc, start.instant, end.instant)
	}
	w.line("BEGIN:VEVENT")
	w.line("UID:" + r.uid)
	w.line("DTSTAMP:" + r.at.Format(utcForm))
	if r.sequence != "" {
		w.line("SEQUENCE:" + r.sequence)
	}
	w.time("DTSTART", start)
	w.time("DTEND", end)
	w.text("SUMMARY", r.summary)
	if organizer {
		w.line("ORGANIZER:" + r.organizer.Value)
	}
	w.line("ATTENDEE;PARTSTAT=" + r.partstat + ":" + mailto(r.from.Address))
	w.text(comment, r.comment)
	w.line("END:VEVENT")
	w.line("END:VCALENDAR")
	return w.String()
}

// id is a Message-ID, or a boundary, that is the same for the same answer.
func (r *replyMessage) id(kind string) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s %q %q %q %q %s", kind, r.uid, r.from.Address, r.comment, r.partstat, r.at))
	return fmt.Sprintf("%x", h[:12])
}

func (r *replyMessage) header(b *bytes.Buffer, media string) (boundary string) {
	boundary = "----=_" + r.id("boundary")
	fmt.Fprintf(b, "From: %s\r\nTo: %s\r\n", r.from, r.to)
	fmt.Fprintf(b, "Subject: %s\r\n", mime.QEncoding.Encode("utf-8", printable(strings.ReplaceAll(r.subject, "\n", " "))))
	fmt.Fprintf(b, "Date: %s\r\n", r.at.Format(time.RFC1123Z))
	fmt.Fprintf(b, "Message-ID: <%s@%s>\r\n", r.id("message"), domain(r.from.Address))
	if id := strings.TrimSpace(r.inReplyTo); id != "" {
		fmt.Fprintf(b, "In-Reply-To: %s\r\n", id)
	}
	fmt.Fprintf(b, "MIME-Version: 1.0\r\nContent-Type: %s; boundary=\"%s\"\r\n\r\n", media, boundary)
	return boundary
}

// text is what a person would read.
func (r *replyMessage) text() string {
	return lineEnds.Replace(r.subject+"\n\n"+r.comment) + "\n"
}

func part(b *bytes.Buffer, boundary, contentType, encoding, body string) {
	fmt.Fprintf(b, "--%s\r\nContent-Type: %s\r\n", boundary, contentType)
	fmt.Fprintf(b, "Content-Transfer-Encoding: %s\r\n\r\n", encoding)
	switch encoding {
	case "base64":
		for text := base64.StdEncoding.EncodeToString([]byte(body)); text != ""; {
			n := min(76, len(text))
			b.WriteString(text[:n] + "\r\n")
			text = text[n:]
		}
	default:
		w := quotedprintable.NewWriter(b)
		_, _ = w.Write([]byte(body)) // a buffer takes all
		_ = w.Close()
		b.WriteString("\r\n")
	}
}

func (r *replyMessage) google() []byte {
	ics := r.calendar("-//Google Inc//Google Calendar 70.9054//EN", "", "COMMENT", true)
	var b bytes.Buffer
	outer := r.header(&b, "multipart/mixed")
	inner := outer + "-alternative"
	fmt.Fprintf(&b, "--%s\r\nContent-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", outer, inner)
	part(&b, inner, `text/plain; charset="UTF-8"`, "quoted-printable", r.text())
	part(&b, inner, `text/calendar; charset="UTF-8"; method=`+r.method, "quoted-printable", ics)
	fmt.Fprintf(&b, "--%s--\r\n", inner)
	part(&b, outer, `application/ics; name="invite.ics"`+"\r\nContent-Disposition: attachment; filename=\"invite.ics\"", "base64", ics)
	fmt.Fprintf(&b, "--%s--\r\n", outer)
	return b.Bytes()
}

func (r *replyMessage) outlook() []byte {
	ics := r.calendar("Microsoft Exchange Server 2010", "Customized Time Zone", "COMMENT;LANGUAGE=en-US", true)
	var b bytes.Buffer
	boundary := r.header(&b, "multipart/alternative")
	part(&b, boundary, `text/plain; charset="utf-8"`, "base64", r.text())
	part(&b, boundary, `text/calendar; charset="utf-8"; method=`+r.method, "base64", ics)
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes()
}

func (r *replyMessage) apple() []byte {
	ics := r.calendar("-//Apple Inc.//macOS 15.0//EN", r.start.tzid, "COMMENT", false)
	var b bytes.Buffer
	boundary := r.header(&b, "multipart/alternative")
	part(&b, boundary, "text/plain; charset=utf-8", "quoted-printable", r.text())
	part(&b, boundary, "text/calendar; charset=utf-8; method="+r.method, "quoted-printable", ics)
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes()
}
