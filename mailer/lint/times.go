package lint

import (
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/zone"
)

// readDuration reads a DURATION, whose days have 24 hours here.
func readDuration(s string) (time.Duration, bool) {
	days, rest, ok := ical.ReadDuration(s)
	return time.Duration(days)*24*time.Hour + rest, ok
}

// instant returns w in UTC, if its zone is one of the IANA database.
func instant(w ical.When) (time.Time, bool) {
	switch {
	case !w.OK || w.Floating():
		return time.Time{}, false
	case w.Day || w.UTC:
		return w.Clock, true
	}
	location, ok := zone.Load(w.TZID)
	if !ok {
		return time.Time{}, false
	}
	c := w.Clock
	return time.Date(c.Year(), c.Month(), c.Day(), c.Hour(), c.Minute(), c.Second(), 0, location).UTC(), true
}

// behind is the most by which a wall clock is behind UTC, ahead the most by which it is ahead.
const (
	behind = 12 * time.Hour
	ahead  = 14 * time.Hour
)

// lastEnd returns when e is over for sure, and the property that says so. Not ok: it recurs in a
// way that is not followed here, or cannot be read.
func (d *document) lastEnd(e *ical.Component) (time.Time, *ical.Property, bool) {
	at, _ := e.Get("DTSTART")
	_, dates := e.Get("RDATE")
	if at == nil || !at.When().OK || dates > 0 {
		return time.Time{}, nil, false
	}
	start := at.When()
	end := start
	if p, _ := e.Get("DTEND"); p != nil && p.When().OK {
		at, end = p, p.When()
	}
	extra := time.Duration(0)
	if p, _ := e.Get("DURATION"); p != nil {
		extra, _ = readDuration(p.Value)
	} else if end == start && start.Day {
		extra = 24 * time.Hour
	}
	if rule, _ := e.Get("RRULE"); rule != nil {
		until := ruleUntil(rule.Value)
		if !until.OK {
			return time.Time{}, nil, false
		}
		extra += end.Clock.Sub(start.Clock)
		at, end = rule, until
	}
	out := end.Clock.Add(extra)
	if end.UTC {
		return out, at, true
	}
	// Wherever the zone is, it is over half a day later and not over a good half day before; only
	// in between is the zone looked up.
	latest := out.Add(behind)
	near := !latest.Before(d.options.Now) && !out.Add(-ahead).After(d.options.Now)
	if near && !end.Day {
		if t, ok := instant(end); ok {
			return t.Add(extra), at, true
		}
	}
	return latest, at, true
}

// ruleUntil returns UNTIL of an RRULE.
func ruleUntil(rule string) ical.When {
	for part := range strings.SplitSeq(strings.ToUpper(rule), ";") {
		if value, ok := strings.CutPrefix(part, "UNTIL="); ok {
			return ical.ReadWhen(value, "")
		}
	}
	return ical.When{}
}
