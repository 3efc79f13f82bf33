package calendar

import (
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/zone"
)

// Times reads only when an event takes place, for a text whose other faults do not matter. The
// result has DTStamp, Start, End, AllDay, Floating and TZID; object holds the VTIMEZONEs.
func Times(object, event *ical.Component) (*Calendar, error) {
	c := &Calendar{}
	return c, c.readTimes(event, object)
}

func (c *Calendar) readTimes(event, object *ical.Component) error {
	if stamp, _ := event.Get("DTSTAMP"); stamp != nil {
		_, at, err := read(object, stamp)
		if err != nil {
			return err
		}
		c.DTStamp = at.UTC()
	}
	start, _ := event.Get("DTSTART")
	if start == nil {
		return nil
	}
	from, at, err := read(object, start)
	if err != nil {
		return err
	}
	c.Start, c.End, c.AllDay, c.Floating = at, at, from.Day, from.Floating()
	if !from.Day && !from.UTC {
		c.TZID = from.TZID
	}
	end, _ := event.Get("DTEND")
	length, _ := event.Get("DURATION")
	switch {
	case end != nil:
		_, c.End, err = read(object, end)
	case length != nil:
		value := strings.ToUpper(strings.TrimSpace(length.Value))
		days, rest, ok := ical.ReadDuration(value)
		if !ok || days < 0 || rest < 0 || strings.HasPrefix(value, "-") || strings.HasSuffix(value, "T") {
			return fail(0, "its DURATION cannot be read")
		}
		from.Clock = from.Clock.AddDate(0, 0, days)
		at, err = instant(object, from)
		c.End = at.Add(rest)
	case c.AllDay:
		c.End = c.Start.AddDate(0, 0, 1)
	}
	return err
}

// read reads a property that is a DATE or DATE-TIME; object holds the VTIMEZONEs.
func read(object *ical.Component, p *ical.Property) (ical.When, time.Time, error) {
	w := ical.ReadWhen(strings.TrimSpace(p.Value), parameter(p, "TZID"))
	if !w.OK {
		return w, time.Time{}, fail(0, "its %s is not a date or a date with time", p.Name)
	}
	at, err := instant(object, w)
	return w, at, err
}

// instant returns when w is. A date and a floating time are taken as UTC.
func instant(object *ical.Component, w ical.When) (time.Time, error) {
	if w.Day || w.UTC || w.TZID == "" {
		return w.Clock, nil
	}
	clock := w.Clock
	if location := iana(w.TZID); location != nil {
		return time.Date(clock.Year(), clock.Month(), clock.Day(),
			clock.Hour(), clock.Minute(), clock.Second(), 0, location), nil
	}
	for described := range object.All("VTIMEZONE") {
		if text(described, "TZID") != w.TZID {
			continue
		}
		observances, ok := readObservances(described)
		if !ok {
			return time.Time{}, fail(0, "its VTIMEZONE cannot be read")
		}
		offset := offsetAt(observances, clock)
		return clock.Add(-offset).In(time.FixedZone(w.TZID, int(offset/time.Second))), nil
	}
	return time.Time{}, fail(0,
		"the time zone %.60q is not an IANA name, and no VTIMEZONE in the text explains it", w.TZID)
}

// iana looks a name up in the IANA database. A name that begins with a slash is from some registry
// (RFC 5545 section 3.2.19), and those in use end in an IANA name, as in
// /citadel.org/20210210_1/Europe/London.
func iana(tzid string) *time.Location {
	if len(tzid) > 64 { // twice the longest name
		return nil
	}
	location, ok := zone.Load(tzid)
	for name, more := strings.CutPrefix(tzid, "/"); more && !ok; {
		if _, name, more = strings.Cut(name, "/"); more {
			location, ok = zone.Load(name)
		}
	}
	return location
}
