package cronofytest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// calendar is an iTIP message (RFC 5546 §3.2) before it is written. Zero values are left out of the text, which is how faults
// make it incomplete.
type calendar struct {
	method    string
	uid       string
	sequence  int // -1 leaves it out
	stamp     time.Time
	status    string
	event     *event
	organizer Organizer
	attendees []recipient
	zones     *zones
	padding   int // octets in one more property
}

func newCalendar(i *invite, z *zones) *calendar {
	c := &calendar{
		method: "REQUEST", uid: i.uid, sequence: i.sequence, stamp: i.stamp, status: "CONFIRMED",
		event: i.event, organizer: i.organizer, attendees: i.recipients, zones: z,
	}
	if i.cancelled {
		c.method, c.status = "CANCEL", "CANCELLED"
	}
	return c
}

// uid is the same for all revisions and tells nothing about anybody, as RFC 7986 §5.3 asks. It has the form of a UUID of version 8.
func (k inviteKey) uid() string {
	h := sha256.Sum256(fmt.Appendf(nil, "cronofytest %q %q", k.id, k.email))
	h[6] = h[6]&0x0f | 0x80
	h[8] = h[8]&0x3f | 0x80
	digits := hex.EncodeToString(h[:16])
	return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:]
}

// text writes the calendar; the order of its first lines is that of the documented example.
func (c *calendar) text(crlf bool) string {
	w := newWriter(crlf)
	w.line("BEGIN:VCALENDAR")
	w.line("VERSION:2.0")
	w.line("PRODID:-//cronofytest//Smart Invites 1.0//EN")
	w.line("CALSCALE:GREGORIAN")
	if c.method != "" {
		w.line("METHOD:" + c.method)
	}
	if c.padding > 0 {
		w.padding("X-PADDING", c.padding)
	}
	if c.event != nil {
		start, end := c.clock(c.event.Start), c.clock(c.event.End)
		if start.loc != nil {
			w.timezone(start.tzid, start.loc, start.instant, end.instant)
		}
		if end.loc != nil && (start.loc == nil || end.tzid != start.tzid) {
			w.timezone(end.tzid, end.loc, end.instant, end.instant)
		}
		c.vevent(w, start, end)
	}
	w.line("END:VCALENDAR")
	return w.String()
}

// clock is how an event time is written: loc is nil for a day and for UTC.
type clock struct {
	eventTime
	loc *time.Location
}

// clock decides how to write t. A time that the zone's clocks show twice is written in UTC: local time would mean the first of the
// two (RFC 5545 §3.3.5), and readers differ on it.
func (c *calendar) clock(t eventTime) clock {
	out := clock{eventTime: t}
	if t.day || t.tzid == "UTC" || t.tzid == "Etc/UTC" {
		return out
	}
	if loc := c.zones.load(t.tzid); loc != nil && !ambiguous(t.instant.In(loc)) {
		out.loc = loc
	}
	return out
}

func (w *writer) time(name string, t clock) {
	switch {
	case t.day:
		w.line(name + ";VALUE=DATE:" + t.instant.Format("20060102"))
	case t.loc != nil:
		w.line(name + ";TZID=" + parameter(t.tzid) + ":" + t.instant.In(t.loc).Format(localForm))
	default:
		w.line(name + ":" + t.instant.UTC().Format(utcForm))
	}
}

func (c *calendar) vevent(w *writer, start, end clock) {
	e := c.event
	w.line("BEGIN:VEVENT")
	if c.uid != "" {
		w.line("UID:" + c.uid)
	}
	if !c.stamp.IsZero() {
		w.line("DTSTAMP:" + c.stamp.UTC().Format(utcForm))
	}
	if c.sequence >= 0 {
		w.line("SEQUENCE:" + strconv.Itoa(c.sequence))
	}
	w.time("DTSTART", start)
	w.time("DTEND", end)
	w.text("SUMMARY", e.Summary)
	w.text("DESCRIPTION", e.Description)
	if l := e.Location; l != nil {
		w.text("LOCATION", l.Description)
		if l.Lat != "" && l.Long != "" {
			w.line("GEO:" + l.Lat + ";" + l.Long)
		}
	}
	if e.URL != "" {
		w.line("URL:" + uri(e.URL))
	}
	if c.organizer != (Organizer{}) {
		w.line("ORGANIZER;CN=" + parameter(c.organizer.Name) + ":" + mailto(c.organizer.Email))
	}
	for _, a := range c.attendees {
		w.line("ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=" + partstat(a.Status) + ";RSVP=TRUE:" + mailto(a.Email))
	}
	w.line("STATUS:" + c.status)
	if e.EventPrivate != nil && *e.EventPrivate {
		w.line("CLASS:PRIVATE")
	}
	transp, busy := "OPAQUE", "BUSY"
	if e.Transparency == "transparent" {
		transp, busy = "TRANSPARENT", "FREE"
	}
	w.line("TRANSP:" + transp)
	w.line("X-MICROSOFT-CDO-BUSYSTATUS:" + busy)
	if c.method != "CANCEL" { // RFC 5546 §3.2.5: no VALARM in a CANCEL
		for _, r := range e.Reminders {
			w.line("BEGIN:VALARM")
			w.line("ACTION:DISPLAY")
			w.text("DESCRIPTION", e.Summary)
			w.line("TRIGGER:-PT" + strconv.Itoa(int(r.Minutes)) + "M")
			w.line("END:VALARM")
		}
	}
	w.line("END:VEVENT")
}

// partstat is the status in the words of RFC 5545 §3.2.12.
func partstat(status string) string {
	switch status {
	case statusAccepted:
		return "ACCEPTED"
	case statusTentative:
		return "TENTATIVE"
	case statusDeclined:
		return "DECLINED"
	default:
		return "NEEDS-ACTION"
	}
}
