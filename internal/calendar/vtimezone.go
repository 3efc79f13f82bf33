package calendar

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// observance is a STANDARD or DAYLIGHT of a VTIMEZONE (RFC 5545 section 3.6.5). Wall-clock times
// are written as UTC.
type observance struct {
	start    time.Time
	from, to time.Duration // the offsets before and after an onset
	rule     *yearly
	dates    []time.Time // DTSTART and the RDATEs
}

// readObservances reads the STANDARDs and DAYLIGHTs of a VTIMEZONE, one at least.
func readObservances(zone *ical.Component) (all []*observance, ok bool) {
	for _, sub := range zone.Components {
		if sub.Name != "STANDARD" && sub.Name != "DAYLIGHT" {
			continue
		}
		o, ok := readObservance(sub)
		if !ok {
			return nil, false
		}
		all = append(all, o)
	}
	return all, len(all) > 0
}

// offsetAt returns the offset from UTC when the clock shows wall: that of the observance whose
// onset came last. A time that the clock leaps over has the offset before the leap, a time it shows
// twice is the first of the two (RFC 5545 section 3.3.5).
func offsetAt(observances []*observance, wall time.Time) time.Duration {
	var earliest, current *observance
	var latest time.Time
	for _, o := range observances {
		if earliest == nil || o.start.Before(earliest.start) {
			earliest = o
		}
		if onset, ok := o.lastOnset(wall); ok && !onset.Before(latest) {
			current, latest = o, onset
		}
	}
	switch {
	case current == nil:
		return earliest.from
	case wall.Sub(latest) < current.to-current.from:
		return current.from
	}
	return current.to
}

// dateTime is the form of a DATE-TIME without zone.
const dateTime = "20060102T150405"

func readObservance(c *ical.Component) (*observance, bool) {
	start, err := time.Parse(dateTime, raw(c, "DTSTART"))
	from, okFrom := utcOffset(raw(c, "TZOFFSETFROM"))
	to, okTo := utcOffset(raw(c, "TZOFFSETTO"))
	if err != nil || !okFrom || !okTo {
		return nil, false
	}
	o := &observance{start: start, from: from, to: to, dates: []time.Time{start}}
	if text := raw(c, "RRULE"); text != "" {
		rule, ok := readYearly(text, o)
		if !ok {
			return nil, false
		}
		o.rule = rule
	}
	for property := range c.Each("RDATE") {
		for text := range strings.SplitSeq(strings.TrimSpace(property.Value), ",") {
			t, err := time.Parse(dateTime, text)
			if err != nil {
				return nil, false
			}
			o.dates = append(o.dates, t)
		}
	}
	return o, true
}

var offsetForm = regexp.MustCompile(`^[+-]([01][0-9]|2[0-3])[0-5][0-9]([0-5][0-9])?$`)

// utcOffset reads a UTC-OFFSET (RFC 5545 section 3.3.14).
func utcOffset(s string) (time.Duration, bool) {
	if !offsetForm.MatchString(s) {
		return 0, false
	}
	t, err := time.Parse("-070000"[:len(s)], s)
	_, offset := t.Zone()
	return time.Duration(offset) * time.Second, err == nil
}

// lastOnset returns the last onset that is not after wall, if there is one.
func (o *observance) lastOnset(wall time.Time) (last time.Time, found bool) {
	onsets := o.dates
	if o.rule != nil {
		onsets = slices.Concat(onsets, o.rule.around(wall, o.start))
	}
	for _, t := range onsets {
		if !t.After(wall) && !t.Before(o.start) && !t.Before(last) {
			last, found = t, true
		}
	}
	return last, found
}

// yearly is the kind of rule that time zones follow: one day in a month, every year.
type yearly struct {
	month     time.Month
	byWeekday bool
	weekday   time.Weekday
	nth       int       // the nth such weekday of the month, from its end if negative; 0 for any
	days      []int     // days of the month, of which it is the first that is such a weekday
	until     time.Time // the wall-clock time before which onsets lie
}

var (
	byDay    = regexp.MustCompile(`^([+-]?0?[1-5])?(SU|MO|TU|WE|TH|FR|SA)$`)
	weekdays = []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}
)

// readYearly reads a rule for one day in every year, which is all that time zones need.
func readYearly(text string, o *observance) (*yearly, bool) {
	r := &yearly{month: o.start.Month(), until: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}
	freq, ok := "", true
	for part := range strings.SplitSeq(strings.ToUpper(text), ";") {
		name, value, _ := strings.Cut(part, "=")
		n, _ := strconv.Atoi(value) // 0 for what is no number
		switch name {
		case "FREQ":
			freq = value
		case "BYMONTH":
			r.month, ok = time.Month(n), n >= 1 && n <= 12
		case "BYDAY":
			ok = r.readByDay(value)
		case "BYMONTHDAY":
			ok = r.readByMonthDay(value)
		case "UNTIL":
			ok = r.readUntil(value, o.from)
		case "COUNT":
			r.stop(time.Date(o.start.Year()+n, 1, 1, 0, 0, -1, 0, time.UTC)) // the end of the last year
			ok = n >= 1 && n <= 9999
		case "INTERVAL":
			ok = value == "1"
		case "WKST", "":
		default:
			ok = false
		}
		if !ok {
			return nil, false
		}
	}
	if freq != "YEARLY" ||
		r.byWeekday && (r.nth == 0) == (len(r.days) == 0) || // one of the two must choose among the weekdays
		!r.byWeekday && len(r.days) > 1 {
		return nil, false
	}
	if !r.byWeekday && len(r.days) == 0 {
		r.days = []int{o.start.Day()}
	}
	return r, true
}

func (r *yearly) readByDay(value string) bool {
	m := byDay.FindStringSubmatch(value)
	if m == nil {
		return false
	}
	r.byWeekday, r.weekday = true, time.Weekday(slices.Index(weekdays, m[2]))
	r.nth, _ = strconv.Atoi(m[1]) // a number, by its form, or nothing
	return true
}

func (r *yearly) readByMonthDay(value string) bool {
	for text := range strings.SplitSeq(value, ",") {
		day, err := strconv.Atoi(text)
		if err != nil || day < 1 || day > 31 {
			return false
		}
		r.days = append(r.days, day)
	}
	return true
}

// readUntil reads UNTIL, which is UTC in a VTIMEZONE and names the last onset.
func (r *yearly) readUntil(value string, from time.Duration) bool {
	w := ical.ReadWhen(value, "")
	if w.Day {
		w.Clock = w.Clock.AddDate(0, 0, 1)
	}
	r.stop(w.Clock.Add(from + time.Second))
	return w.OK
}

func (r *yearly) stop(t time.Time) {
	if t.Before(r.until) {
		r.until = t
	}
}

// around returns the onsets of the last years up to wall, at the time of day of start. Of a rule
// that has ended they are its last.
func (r *yearly) around(wall, start time.Time) []time.Time {
	var onsets []time.Time
	last := min(wall.Year(), r.until.Year())
	for year := last - 2; year <= last; year++ {
		first := time.Date(year, r.month, 1, start.Hour(), start.Minute(), start.Second(), 0, time.UTC)
		for t := first; t.Month() == r.month; t = t.AddDate(0, 0, 1) {
			if r.matches(t) {
				if t.Before(r.until) {
					onsets = append(onsets, t)
				}
				break
			}
		}
	}
	return onsets
}

func (r *yearly) matches(t time.Time) bool {
	if r.byWeekday && t.Weekday() != r.weekday {
		return false
	}
	lastDay := t.AddDate(0, 1, -t.Day()).Day()
	switch {
	case r.nth > 0:
		return (t.Day()-1)/7+1 == r.nth
	case r.nth < 0:
		return (lastDay-t.Day())/7+1 == -r.nth
	}
	return slices.Contains(r.days, t.Day())
}
