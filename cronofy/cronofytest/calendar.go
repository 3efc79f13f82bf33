package cronofytest

import (
	"fmt"
	"strconv"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/zone"
)

// calendar writes the invite as an iTIP message (RFC 5546 §3.2); the order of its first lines is
// that of the documented example.
func (i *invite) calendar(crlf bool) string {
	method := "REQUEST"
	if i.Cancelled {
		method = "CANCEL"
	}
	w := &writer{eol: "\n"}
	if crlf {
		w.eol = "\r\n"
	}
	w.line("BEGIN:VCALENDAR")
	w.line("VERSION:2.0")
	w.line("PRODID:-//cronofytest//Smart Invites 1.0//EN")
	w.line("CALSCALE:GREGORIAN")
	w.line("METHOD:" + method)
	start, end := newClock(i.event.Start), newClock(i.event.End)
	if start.loc != nil {
		w.timezone(start.TZID, start.loc, start.Time, end.Time)
	}
	if end.loc != nil && (start.loc == nil || end.TZID != start.TZID) {
		w.timezone(end.TZID, end.loc, end.Time, end.Time)
	}
	i.vevent(w, start, end)
	w.line("END:VCALENDAR")
	return w.String()
}

// clock is how an event time is written: loc is nil for a day and for UTC.
type clock struct {
	cronofy.EventTime
	loc *time.Location
}

// newClock decides how to write t. A time that the zone's clocks show twice is written in UTC:
// local time would mean the first of the two (RFC 5545 §3.3.5), and readers differ on it.
func newClock(t cronofy.EventTime) clock {
	c := clock{EventTime: t}
	if t.DateOnly || t.TZID == "UTC" || t.TZID == "Etc/UTC" {
		return c
	}
	if loc, ok := zone.Load(t.TZID); ok && !ambiguous(t.Time.In(loc)) {
		c.loc = loc
	}
	return c
}

func (w *writer) time(name string, t clock) {
	switch {
	case t.DateOnly:
		w.line(name + ";VALUE=DATE:" + t.Time.Format("20060102"))
	case t.loc != nil:
		w.line(name + ";TZID=" + parameter(t.TZID) + ":" + t.Time.In(t.loc).Format(localForm))
	default:
		w.line(name + ":" + t.Time.UTC().Format(utcForm))
	}
}

func (i *invite) vevent(w *writer, start, end clock) {
	e := i.event
	w.line("BEGIN:VEVENT")
	w.line("UID:" + i.UID)
	w.line("DTSTAMP:" + i.ChangedAt.UTC().Format(utcForm))
	w.line("SEQUENCE:" + strconv.Itoa(i.Sequence))
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
	w.line("ORGANIZER;CN=" + parameter(i.Organizer.Name) + ":" + mailto(i.Organizer.Email))
	for _, p := range i.Recipients {
		w.line("ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=" + partstats[p.Status] +
			";RSVP=TRUE:" + mailto(p.Email))
	}
	if i.Cancelled {
		w.line("STATUS:CANCELLED")
	} else {
		w.line("STATUS:CONFIRMED")
	}
	if e.EventPrivate != nil && *e.EventPrivate {
		w.line("CLASS:PRIVATE")
	}
	transp, busy := "OPAQUE", "BUSY"
	if e.Transparency == "transparent" {
		transp, busy = "TRANSPARENT", "FREE"
	}
	w.line("TRANSP:" + transp)
	w.line("X-MICROSOFT-CDO-BUSYSTATUS:" + busy)
	if !i.Cancelled { // RFC 5546 §3.2.5: no VALARM in a CANCEL
		for _, r := range e.Reminders {
			w.line("BEGIN:VALARM")
			w.line("ACTION:DISPLAY")
			w.text("DESCRIPTION", e.Summary)
			w.line(fmt.Sprintf("TRIGGER:-PT%dM", r.Minutes))
			w.line("END:VALARM")
		}
	}
	w.line("END:VEVENT")
}

// partstats are the statuses in the words of RFC 5545 §3.2.12.
var partstats = map[string]string{
	statusPending:   "NEEDS-ACTION",
	statusAccepted:  "ACCEPTED",
	statusTentative: "TENTATIVE",
	statusDeclined:  "DECLINED",
}
