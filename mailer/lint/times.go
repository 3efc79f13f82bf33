package lint

import (
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/zone"
)

// readDuration reads a DURATION (RFC 5545 section 3.3.6).
func readDuration(s string) (time.Duration, bool) {
	sign := time.Duration(1)
	switch {
	case strings.HasPrefix(s, "-"):
		sign, s = -1, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	s, ok := strings.CutPrefix(s, "P")
	if !ok || s == "" || len(s) > 40 {
		return 0, false
	}
	var total time.Duration
	n, digits, inTime := time.Duration(0), 0, false
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' {
			n = n*10 + time.Duration(c-'0')
			if digits++; digits > 9 {
				return 0, false
			}
			continue
		}
		if c == 'T' && !inTime && digits == 0 {
			inTime = true
			continue
		}
		unit := durationUnit(c, inTime)
		if digits == 0 || unit == 0 || n > maxDuration/unit {
			return 0, false
		}
		total += n * unit
		n, digits = 0, 0
	}
	return sign * total, digits == 0
}

const maxDuration = 100 * 365 * 24 * time.Hour

func durationUnit(c byte, inTime bool) time.Duration {
	if inTime {
		switch c {
		case 'H':
			return time.Hour
		case 'M':
			return time.Minute
		case 'S':
			return time.Second
		}
		return 0
	}
	switch c {
	case 'W':
		return 7 * 24 * time.Hour
	case 'D':
		return 24 * time.Hour
	}
	return 0
}

// locations are the zones that a document names. It counts what one document has looked up, names of no zone too; the zones
// themselves are remembered by [zone.Zones], for all documents.
type locations struct {
	known *zone.Zones
	asked map[string]*time.Location
}

// maxLocations is how many zones one document can have looked up: each costs a look into the file system.
const maxLocations = 50

func (l locations) load(tzid string) *time.Location {
	loc, asked := l.asked[tzid]
	if !asked && len(l.asked) < maxLocations {
		loc, _ = l.known.Load(tzid) // nil for a name that is not of the IANA database
		l.asked[tzid] = loc
	}
	return loc
}

// instant returns w in UTC, if its zone is one of the IANA database.
func (l locations) instant(w ical.When) (time.Time, bool) {
	if !w.OK || w.Floating() {
		return time.Time{}, false
	}
	if w.Day || w.UTC {
		return w.Clock, true
	}
	loc := l.load(w.TZID)
	if loc == nil {
		return time.Time{}, false
	}
	c := w.Clock
	return time.Date(c.Year(), c.Month(), c.Day(), c.Hour(), c.Minute(), c.Second(), 0, loc).UTC(), true
}

// zoneSpan is the most by which a wall clock is behind UTC, zoneLead the most by which it is ahead.
const (
	zoneSpan = 12 * time.Hour
	zoneLead = 14 * time.Hour
)

// lastEnd returns when e is over for sure, and the property that says so. Not ok: it recurs in a way that is not followed here, or
// cannot be read.
func (d *document) lastEnd(e *ical.Component) (time.Time, *ical.Property, bool) {
	start, _ := e.Get("DTSTART")
	if start == nil || !start.When().OK {
		return time.Time{}, nil, false
	}
	if _, n := e.Get("RDATE"); n > 0 {
		return time.Time{}, nil, false
	}
	at, w := start, start.When()
	end := w
	if p, _ := e.Get("DTEND"); p != nil && p.When().OK {
		at, end = p, p.When()
	}
	extra := time.Duration(0)
	if p, _ := e.Get("DURATION"); p != nil {
		extra, _ = readDuration(p.Value)
	} else if end == w && w.Day {
		extra = 24 * time.Hour
	}
	if rule, _ := e.Get("RRULE"); rule != nil {
		until, ok := ruleUntil(rule.Value)
		if !ok {
			return time.Time{}, nil, false
		}
		extra += end.Clock.Sub(w.Clock)
		at, end = rule, until
	}
	out := end.Clock.Add(extra)
	if end.UTC {
		return out, at, true
	}
	// Wherever the zone is, it is over half a day later and not over a good half day before; only in between is the zone looked up.
	latest := out.Add(zoneSpan)
	if latest.Before(d.options.Now) || out.Add(-zoneLead).After(d.options.Now) || end.Day {
		return latest, at, true
	}
	if t, ok := d.locations.instant(end); ok {
		return t.Add(extra), at, true
	}
	return latest, at, true
}

// ruleUntil returns UNTIL of an RRULE.
func ruleUntil(rule string) (ical.When, bool) {
	for part := range strings.SplitSeq(strings.ToUpper(rule), ";") {
		if value, ok := strings.CutPrefix(part, "UNTIL="); ok {
			w := ical.ReadWhen(value, "")
			return w, w.OK
		}
	}
	return ical.When{}, false
}
