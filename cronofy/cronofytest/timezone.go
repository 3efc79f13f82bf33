package cronofytest

import (
	"cmp"
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

// bounds returns since when and until when the clocks show the offset that they show at t, zero times
// if always. Beyond its table of transitions [time.Time.ZoneBounds] also ends at years' ends, where
// nothing changes: those are passed over.
func bounds(t time.Time) (since, until time.Time) {
	_, offset := t.Zone()
	changes := func(t time.Time) bool {
		_, o := t.Zone()
		return t.IsZero() || o != offset
	}
	for since, _ = t.ZoneBounds(); !since.IsZero() && !changes(since.Add(-time.Second)); {
		since, _ = since.Add(-time.Second).ZoneBounds()
	}
	for until = t; !changes(until); {
		_, next := until.ZoneBounds()
		if !next.IsZero() && !next.After(until) { // so it is on the last day of a leap year
			next = until.Add(day)
		}
		until = next
	}
	return since, until
}

// onsetAt returns the onset of the offset in effect at t. A zone's first offset has none: ok is
// false, and the onset is put long before.
func onsetAt(t time.Time) (o onset, ok bool) {
	o.name, o.to = t.Zone()
	o.dst = t.IsDST()
	if o.at, _ = bounds(t); o.at.IsZero() {
		o.from = o.to
		o.at = time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Duration(o.to) * time.Second)
		return o, false
	}
	_, o.from = o.at.Add(-time.Second).Zone()
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
		if _, until := bounds(t); !until.IsZero() {
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
	o, ok := onsetAt(start)
	if !ok {
		return nil, nil
	}
	first, ok := onsetAt(o.at.Add(-time.Second))
	if !ok {
		return nil, nil
	}
	series := [2][]onset{{first}} // by turns
	for n := 1; ; n++ {
		series[n%2] = append(series[n%2], o)
		if o.at.Year() > end.Year()+yearsAhead {
			break
		}
		_, until := bounds(o.at)
		if until.IsZero() {
			return nil, nil
		}
		o, _ = onsetAt(until)
	}
	for _, s := range series {
		rule := cmp.Or(yearlyRule(s, false), yearlyRule(s, true))
		if rule == "" {
			return nil, nil
		}
		onsets, rules = append(onsets, s[0]), append(rules, rule)
	}
	return onsets, rules
}

// yearlyRule returns the recurrence rule of onsets that come each year on the nth, or on the last,
// weekday of the same month; "" if they do not.
func yearlyRule(series []onset, last bool) string {
	first := series[0].local()
	nth := (first.Day()-1)/7 + 1
	if last {
		nth = -1
	}
	for i, o := range series {
		l := o.local()
		onDay := (l.Day()-1)/7+1 == nth
		if last {
			onDay = l.AddDate(0, 0, 7).Month() != l.Month()
		}
		if !onDay || o.from != series[0].from || o.to != series[0].to ||
			l.Year() != first.Year()+i || l.Month() != first.Month() || l.Weekday() != first.Weekday() ||
			l.Sub(l.Truncate(day)) != first.Sub(first.Truncate(day)) {
			return ""
		}
	}
	weekday := strings.ToUpper(first.Weekday().String()[:2])
	return fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYDAY=%d%s", first.Month(), nth, weekday)
}
