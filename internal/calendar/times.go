package calendar

import (
	"strconv"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// The value types DATE and DATE-TIME (RFC 5545 sections 3.3.4 and 3.3.5).
const (
	dateForm     = "20060102"
	dateTimeForm = "20060102T150405"
)

func (c *Calendar) readTimes(event *ical.Component, z *zones) error {
	if stamp, _ := event.Get("DTSTAMP"); stamp != nil {
		t, err := z.moment(stamp)
		if err != nil {
			return err
		}
		c.DTStamp = t.at.UTC()
	}
	start, _ := event.Get("DTSTART")
	if start == nil {
		return nil
	}
	from, err := z.moment(start)
	if err != nil {
		return err
	}
	c.Start, c.AllDay, c.Floating, c.TZID = from.at, from.date, from.floating, from.tzid
	end, _ := event.Get("DTEND")
	length, _ := event.Get("DURATION")
	switch {
	case end != nil:
		to, err := z.moment(end)
		if err != nil {
			return err
		}
		c.End = to.at
	case length != nil:
		days, rest, ok := duration(strings.TrimSpace(length.Value))
		if !ok {
			return fail(BadValue, 0, "its DURATION cannot be read")
		}
		// Days are days of the calendar, whatever their length in hours; the rest is exact (RFC 5545 section 3.3.6).
		end, err := z.later(from, days)
		if err != nil {
			return err
		}
		c.End = end.Add(rest)
	case c.AllDay:
		c.End = c.Start.AddDate(0, 0, 1)
	default:
		c.End = c.Start
	}
	return nil
}

// moment is a DATE or DATE-TIME.
type moment struct {
	at             time.Time
	wall           time.Time // the clock on the wall, written as UTC
	date, floating bool
	tzid           string
}

// moment reads the value of a date property.
func (z *zones) moment(p *ical.Property) (moment, error) {
	value := strings.TrimSpace(p.Value)
	form, utc := dateTimeForm, false
	m := moment{}
	switch {
	case len(value) == len(dateForm):
		form, m.date = dateForm, true
	case strings.HasSuffix(value, "Z"):
		value, utc = strings.TrimSuffix(value, "Z"), true
	}
	wall, err := time.Parse(form, value)
	if err != nil || len(value) != len(form) {
		return m, &Error{Code: BadValue, Reason: "its " + p.Name + " is not a date or a date with time", Err: err}
	}
	m.wall, m.at = wall, wall
	tzid := parameter(p, "TZID")
	switch {
	case m.date || utc:
	case tzid == "":
		m.floating = true
	default:
		m.tzid = tzid
		m.at, err = z.at(tzid, wall)
	}
	return m, err
}

// later returns the moment days later at the same time of the clock.
func (z *zones) later(m moment, days int) (time.Time, error) {
	wall := m.wall.AddDate(0, 0, days)
	if m.tzid == "" || days == 0 {
		return m.at.AddDate(0, 0, days), nil
	}
	return z.at(m.tzid, wall)
}

// duration reads a DURATION (RFC 5545 section 3.3.6) of no more than a century.
func duration(s string) (days int, rest time.Duration, ok bool) {
	s = strings.TrimPrefix(s, "+")
	s, found := strings.CutPrefix(strings.ToUpper(s), "P")
	if !found || s == "" || strings.HasSuffix(s, "T") {
		return 0, 0, false
	}
	const longest = 100 * 366 * 24 * 60 * 60 // a century, in seconds
	seconds, inTime := int64(0), false
	for s != "" {
		if s[0] == 'T' && !inTime {
			inTime, s = true, s[1:]
			continue
		}
		i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
		if i < 1 || i > 9 {
			return 0, 0, false
		}
		n, err := strconv.ParseInt(s[:i], 10, 64)
		if err != nil {
			return 0, 0, false
		}
		switch unit := s[i]; {
		case unit == 'W' && !inTime:
			days += 7 * int(n)
		case unit == 'D' && !inTime:
			days += int(n)
		case unit == 'H' && inTime:
			seconds += n * 60 * 60
		case unit == 'M' && inTime:
			seconds += n * 60
		case unit == 'S' && inTime:
			seconds += n
		default:
			return 0, 0, false
		}
		if s = s[i+1:]; seconds > longest || days > longest/(24*60*60) {
			return 0, 0, false
		}
	}
	return days, time.Duration(seconds) * time.Second, true
}
