package cronofytest

import (
	"fmt"
	"slices"
	"time"

	"github.com/invitemailer/invitemailer/internal/zone"
)

// zones are the time zones that requests and answers name.
type zones struct{ zone.Zones }

// load returns nil for a name that is no time zone.
func (z *zones) load(name string) *time.Location {
	location, _ := z.Load(name)
	return location
}

// onset is the moment from which clocks show another offset.
type onset struct {
	at       time.Time
	from, to int // seconds east of UTC
	name     string
	dst      bool
}

// local is what the clocks would have shown at the onset, had they not been changed: DTSTART of an observance is in this time
// (RFC 5545 §3.6.5).
func (o onset) local() time.Time { return o.at.Add(time.Duration(o.from) * time.Second).UTC() }

// lastChange returns the latest instant up to t at which the clocks began to show another offset; ok is false if there is none.
// Beyond its table of transitions [time.Time.ZoneBounds] also ends at years' ends, where nothing changes: those are passed over.
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

// onsetAt returns the onset of the offset in effect at t. A zone's first offset has none: ok is false, and the onset is put long before.
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
	if since, ok := lastChange(t); ok {
		_, before := since.Add(-time.Second).Zone()
		if t.Sub(since) < time.Duration(before-offset)*time.Second {
			return true
		}
	}
	if until, ok := nextChange(t); ok {
		_, after := until.Zone()
		return until.Sub(t) <= time.Duration(offset-after)*time.Second
	}
	return false
}

// timezone writes a VTIMEZONE that is right for both instants: as yearly rules where the zone keeps to such until after the event,
// otherwise as the single onsets around them.
func (w *writer) timezone(tzid string, loc *time.Location, start, end time.Time) {
	w.line("BEGIN:VTIMEZONE")
	w.line("TZID:" + escape(tzid))
	w.line("X-LIC-LOCATION:" + escape(tzid))
	if rules, ok := yearlyRules(start.In(loc), end.In(loc)); ok {
		for _, r := range rules {
			w.observance(r.onset, r.String())
		}
	} else {
		for _, o := range onsetsAround(start.In(loc), end.In(loc)) {
			w.observance(o, "")
		}
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

// utcOffset is seconds east of UTC in the form of RFC 5545 §3.3.14, which has seconds only where they are not zero.
func utcOffset(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	s := fmt.Sprintf("%c%02d%02d", sign, seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		s += fmt.Sprintf("%02d", seconds%60)
	}
	return s
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

const day = 24 * time.Hour

// yearlyRule is an onset that comes back each year on the nth, or last (-1), given weekday of a month.
type yearlyRule struct {
	onset
	nth int
}

func (r yearlyRule) String() string {
	l := r.local()
	return fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYDAY=%d%s", l.Month(), r.nth, []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}[l.Weekday()])
}

// holds tells whether o is the onset that the rule foretells for its year.
func (r yearlyRule) holds(o onset) bool {
	a, b := r.local(), o.local()
	return r.from == o.from && r.to == o.to && a.Month() == b.Month() && a.Weekday() == b.Weekday() &&
		a.Sub(a.Truncate(day)) == b.Sub(b.Truncate(day)) && nthHolds(r.nth, b)
}

func nthHolds(nth int, on time.Time) bool {
	if nth == -1 {
		return on.AddDate(0, 0, 7).Month() != on.Month()
	}
	return (on.Day()-1)/7+1 == nth
}

// yearsAhead is how long the zone must keep to its rules after the event for them to be written.
const yearsAhead = 6

// yearlyRules finds the two rules that are in force at start and hold until some years after end.
func yearlyRules(start, end time.Time) ([]yearlyRule, bool) {
	second, ok := onsetAt(start)
	if !ok {
		return nil, false
	}
	first, ok := onsetAt(second.at.Add(-time.Second).In(start.Location()))
	if !ok {
		return nil, false
	}
	var rules []yearlyRule
	for _, o := range []onset{first, second} {
		l := o.local()
		nth := (l.Day()-1)/7 + 1
		if nthHolds(-1, l) && !fitsAlways(o, nth, start.Location(), end.Year()+yearsAhead) {
			nth = -1
		}
		if !fitsAlways(o, nth, start.Location(), end.Year()+yearsAhead) {
			return nil, false
		}
		rules = append(rules, yearlyRule{onset: o, nth: nth})
	}
	return rules, true
}

// fitsAlways tells whether every second onset after o, one a year until the given one, is what the rule of o foretells.
func fitsAlways(o onset, nth int, loc *time.Location, until int) bool {
	rule := yearlyRule{onset: o, nth: nth}
	year := o.local().Year()
	for at := o.at; year < until; {
		for range 2 {
			next, ok := nextChange(at.In(loc))
			if !ok {
				return false
			}
			at = next
		}
		following, _ := onsetAt(at.In(loc))
		year++
		if following.local().Year() != year || !rule.holds(following) {
			return false
		}
	}
	return true
}
