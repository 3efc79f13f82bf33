package cronofytest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const day = 24 * time.Hour

// onset is the moment from which clocks show another offset.
type onset struct {
	at       time.Time
	from, to int // seconds east of UTC
	name     string
	dst      bool
}

// local is what the clocks would have shown at the onset, had they not been changed: DTSTART of an
// observance is in this time (RFC 5545 §3.6.5).
func (o onset) local() time.Time { return o.at.Add(time.Duration(o.from) * time.Second).UTC() }

// lastChange returns the latest instant up to t at which the clocks began to show another offset;
// ok is false if there is none. Beyond its table of transitions [time.Time.ZoneBounds] also ends
// at years' ends, where nothing changes: those are passed over.
func lastChange(t time.Time) (at time.Time, ok bool) {
	_, offset := t.Zone()
	for {
		since, _ := t.ZoneBounds()
		if since.IsZero() {
			return since, false
		}
		before := since.Add(-time.Second)
		if _, o := before.Zone(); o != offset {
			return since, true
		}
		t = before
	}
}

// nextChange returns the first instant after t at which the clocks show another offset.
func nextChange(t time.Time) (at time.Time, ok bool) {
	_, offset := t.Zone()
	for {
		_, until := t.ZoneBounds()
		if until.IsZero() {
			return until, false
		}
		if _, o := until.Zone(); o != offset && until.After(t) {
			return until, true
		}
		if !until.After(t) { // so it is on the last day of a leap year
			until = t.Add(day)
		}
		t = until
	}
}

// onsetAt returns the onset of the offset in effect at t. A zone's first offset has none: ok is
// false, and the onset is put long before.
func onsetAt(t time.Time) (o onset, ok bool) {
	o.name, o.to = t.Zone()
	o.dst = t.IsDST()
	since, ok := lastChange(t)
	if !ok {
		o.from = o.to
		o.at = time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Duration(o.to) * time.Second)
		return o, false
	}
	o.at = since
	_, o.from = since.Add(-time.Second).Zone()
	return o, true
}

// ambiguous tells whether the clocks at t's place show the same time at another instant too.
func ambiguous(t time.Time) bool {
	_, offset := t.Zone()
	for _, near := range []time.Duration{-day, day} {
		_, other := t.Add(near).Zone()
		again := t.Add(time.Duration(offset-other) * time.Second)
		if _, o := again.Zone(); o == other && other != offset {
			return true
		}
	}
	return false
}

// timezone writes a VTIMEZONE that is right for both instants: as yearly rules where the zone
// keeps to such until after the event, otherwise as the single onsets around them.
func (w *writer) timezone(tzid string, loc *time.Location, start, end time.Time) {
	w.line("BEGIN:VTIMEZONE")
	w.line("TZID:" + escape(tzid))
	w.line("X-LIC-LOCATION:" + escape(tzid))
	onsets, rules := yearlyOnsets(start.In(loc), end.In(loc))
	if rules == nil {
		onsets = onsetsAround(start.In(loc), end.In(loc))
		rules = make([]string, len(onsets))
	}
	for i, o := range onsets {
		w.observance(o, rules[i])
	}
	w.line("END:VTIMEZONE")
}

func (w *writer) observance(o onset, rrule string) {
	kind := "STANDARD"
	if o.dst {
		kind = "DAYLIGHT"
	}
	w.line("BEGIN:" + kind)
	w.line("TZOFFSETFROM:" + utcOffset(o.from))
	w.line("TZOFFSETTO:" + utcOffset(o.to))
	w.line("TZNAME:" + escape(o.name))
	w.line("DTSTART:" + o.local().Format(localForm))
	if rrule != "" {
		w.line("RRULE:" + rrule)
	}
	w.line("END:" + kind)
}

// utcOffset is seconds east of UTC in the form of RFC 5545 §3.3.14, which has seconds only where
// they are not zero.
func utcOffset(seconds int) string {
	form := "-0700"
	if seconds%60 != 0 {
		form = "-070000"
	}
	return time.Time{}.In(time.FixedZone("", seconds)).Format(form)
}

// onsetsAround returns those in effect at each instant and the ones that end them.
func onsetsAround(instants ...time.Time) []onset {
	var list []onset
	for _, t := range instants {
		o, _ := onsetAt(t)
		list = append(list, o)
		if until, ok := nextChange(t); ok {
			next, _ := onsetAt(until)
			list = append(list, next)
		}
	}
	slices.SortFunc(list, func(a, b onset) int { return a.at.Compare(b.at) })
	return slices.CompactFunc(list, func(a, b onset) bool { return a.at.Equal(b.at) })
}

// yearsAhead is how long the zone must keep to its rules after the event for them to be written.
const yearsAhead = 6

// yearlyOnsets returns the two onsets in force at start with the rules by which they come back
// each year, or no rules if the zone does not keep to such until some years after end.
func yearlyOnsets(start, end time.Time) (onsets []onset, rules []string) {
	second, ok := onsetAt(start)
	if !ok {
		return nil, nil
	}
	first, ok := onsetAt(second.at.Add(-time.Second).In(start.Location()))
	if !ok {
		return nil, nil
	}
	onsets = []onset{first, second}
	for _, o := range onsets {
		rule := yearlyRule(o, start.Location(), end.Year()+yearsAhead)
		if rule == "" {
			return nil, nil
		}
		rules = append(rules, rule)
	}
	return onsets, rules
}

// yearlyRule returns the recurrence rule of an onset: each year on the nth, or last (-1), weekday
// of its month. It is empty if an onset up to that year does not fit.
func yearlyRule(o onset, loc *time.Location, until int) string {
	first := o.local()
	nths := []int{(first.Day()-1)/7 + 1, -1}
	for at, year := o.at, first.Year(); ; year++ {
		following, _ := onsetAt(at.In(loc))
		l := following.local()
		if following.from != o.from || following.to != o.to || l.Year() != year ||
			l.Month() != first.Month() || l.Weekday() != first.Weekday() ||
			l.Sub(l.Truncate(day)) != first.Sub(first.Truncate(day)) {
			return ""
		}
		isLast := l.AddDate(0, 0, 7).Month() != l.Month()
		nths = slices.DeleteFunc(nths, func(nth int) bool {
			return nth < 0 && !isLast || nth > 0 && nth != (l.Day()-1)/7+1
		})
		if len(nths) == 0 {
			return ""
		}
		if year >= until {
			break
		}
		for range 2 { // the other onset of the year, and then this one
			var ok bool
			if at, ok = nextChange(at.In(loc)); !ok {
				return ""
			}
		}
	}
	weekday := strings.ToUpper(first.Weekday().String()[:2])
	return fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYDAY=%d%s", first.Month(), nths[0], weekday)
}
