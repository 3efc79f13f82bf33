package calendar

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// observance is a STANDARD or DAYLIGHT of a VTIMEZONE (RFC 5545 section 3.6.5). Wall-clock times are written as UTC.
type observance struct {
	start    time.Time
	from, to time.Duration // the offsets before and after an onset
	rule     *yearly
	dates    []time.Time // RDATEs
}

// readObservances reads the STANDARDs and DAYLIGHTs of a VTIMEZONE.
func readObservances(zone *ical.Component) ([]*observance, error) {
	var all []*observance
	for _, sub := range zone.Components {
		if sub.Name != "STANDARD" && sub.Name != "DAYLIGHT" {
			continue
		}
		o, err := readObservance(sub)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	if len(all) == 0 {
		return nil, errors.New("it has neither STANDARD nor DAYLIGHT")
	}
	return all, nil
}

// offsetAt returns the offset from UTC when the clock shows wall: that of the observance whose onset came last. A time that the clock
// leaps over has the offset before the leap, a time it shows twice is the first of the two (RFC 5545 section 3.3.5).
func offsetAt(observances []*observance, wall time.Time) time.Duration {
	var (
		earliest, current *observance
		latest            time.Time
	)
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

func readObservance(c *ical.Component) (*observance, error) {
	o := &observance{}
	var err error
	if o.start, err = time.Parse(dateTimeForm, raw(c, "DTSTART")); err != nil {
		return nil, fmt.Errorf("a DTSTART in it is not a local time: %w", err)
	}
	if o.from, err = utcOffset(raw(c, "TZOFFSETFROM")); err != nil {
		return nil, fmt.Errorf("a TZOFFSETFROM in it: %w", err)
	}
	if o.to, err = utcOffset(raw(c, "TZOFFSETTO")); err != nil {
		return nil, fmt.Errorf("a TZOFFSETTO in it: %w", err)
	}
	if text := raw(c, "RRULE"); text != "" {
		if o.rule, err = readYearly(text, o); err != nil {
			return nil, fmt.Errorf("an RRULE in it: %w", err)
		}
	}
	for property := range c.Each("RDATE") {
		for text := range strings.SplitSeq(strings.TrimSpace(property.Value), ",") {
			t, err := time.Parse(dateTimeForm, text)
			if err != nil {
				return nil, fmt.Errorf("an RDATE in it is not a local time: %w", err)
			}
			o.dates = append(o.dates, t)
		}
	}
	return o, nil
}

// lastOnset returns the last onset that is not after wall, if there is one.
func (o *observance) lastOnset(wall time.Time) (last time.Time, found bool) {
	consider := func(t time.Time) {
		if !t.After(wall) && !t.Before(o.start) && !t.Before(last) {
			last, found = t, true
		}
	}
	consider(o.start)
	for _, t := range o.dates {
		consider(t)
	}
	if o.rule != nil {
		// The year itself, or the one before it; one more for a rule whose end falls between.
		year := min(wall.Year(), o.rule.lastYear)
		for y := year; y > year-3; y-- {
			if t := o.rule.in(y, o.start); t.Before(o.rule.until) {
				consider(t)
			}
		}
	}
	return last, found
}

// yearly is the kind of rule that time zones follow: one day in a month, every year.
type yearly struct {
	month     time.Month
	weekday   time.Weekday
	nth       int   // the nth such weekday of the month, from its end if negative; 0: not by weekday alone
	days      []int // days of the month; with byWeekday the first of them that is that weekday
	byWeekday bool
	until     time.Time // the wall-clock time before which onsets lie
	lastYear  int
}

var weekdays = map[string]time.Weekday{"SU": time.Sunday, "MO": time.Monday, "TU": time.Tuesday, "WE": time.Wednesday,
	"TH": time.Thursday, "FR": time.Friday, "SA": time.Saturday}

var errRule = errors.New("it is not a rule for one day in every year, which is all that time zones need")

func readYearly(text string, o *observance) (*yearly, error) {
	const never = 9999
	r := &yearly{month: o.start.Month(), until: time.Date(never+1, 1, 1, 0, 0, 0, 0, time.UTC), lastYear: never}
	freq := ""
	for part := range strings.SplitSeq(strings.ToUpper(text), ";") {
		name, value, _ := strings.Cut(part, "=")
		var err error
		switch name {
		case "FREQ":
			freq = value
		case "BYMONTH":
			var month int
			if month, err = strconv.Atoi(value); month < 1 || month > 12 {
				err = errRule
			}
			r.month = time.Month(month)
		case "BYDAY":
			err = r.readByDay(value)
		case "BYMONTHDAY":
			err = r.readByMonthDay(value)
		case "UNTIL":
			err = r.readUntil(value, o.from)
		case "COUNT":
			var count int
			if count, err = strconv.Atoi(value); count < 1 || count > never {
				err = errRule
			}
			r.lastYear = min(r.lastYear, o.start.Year()+count-1)
		case "INTERVAL":
			if value != "1" {
				err = errRule
			}
		case "WKST", "":
		default:
			err = errRule
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case freq != "YEARLY",
		r.byWeekday && (r.nth == 0) == (len(r.days) == 0), // one of the two must choose among the weekdays of the month
		!r.byWeekday && len(r.days) > 1:
		return nil, errRule
	}
	if !r.byWeekday && len(r.days) == 0 {
		r.days = []int{o.start.Day()}
	}
	return r, nil
}

func (r *yearly) readByDay(value string) error {
	if len(value) < 2 {
		return errRule
	}
	cut := len(value) - 2
	weekday, ok := weekdays[value[cut:]]
	if !ok {
		return errRule
	}
	r.weekday, r.byWeekday = weekday, true
	if cut == 0 {
		return nil
	}
	nth, err := strconv.Atoi(value[:cut])
	if err != nil || nth == 0 || nth < -5 || nth > 5 {
		return errRule
	}
	r.nth = nth
	return nil
}

func (r *yearly) readByMonthDay(value string) error {
	for text := range strings.SplitSeq(value, ",") {
		day, err := strconv.Atoi(text)
		if err != nil || day < 1 || day > 31 || len(r.days) == 31 {
			return errRule
		}
		r.days = append(r.days, day)
	}
	slices.Sort(r.days)
	return nil
}

// readUntil reads UNTIL, which is UTC in a VTIMEZONE and names the last onset.
func (r *yearly) readUntil(value string, from time.Duration) error {
	value = strings.TrimSuffix(value, "Z")
	form := dateTimeForm
	if len(value) == len(dateForm) {
		form = dateForm
	}
	t, err := time.Parse(form, value)
	if err != nil {
		return errRule
	}
	if form == dateForm {
		t = t.AddDate(0, 0, 1)
	}
	r.until = t.Add(from + time.Second)
	r.lastYear = min(r.lastYear, r.until.Year())
	return nil
}

// in returns the onset in that year at the time of day of start, or the zero time.
func (r *yearly) in(year int, start time.Time) time.Time {
	on := func(day int) time.Time {
		return time.Date(year, r.month, day, start.Hour(), start.Minute(), start.Second(), 0, time.UTC)
	}
	var t time.Time
	switch {
	case r.nth > 0:
		first := on(1)
		t = on(1 + (int(r.weekday-first.Weekday())+7)%7 + 7*(r.nth-1))
	case r.nth < 0:
		last := on(1).AddDate(0, 1, -1)
		t = on(last.Day() - (int(last.Weekday()-r.weekday)+7)%7 + 7*(r.nth+1))
	default:
		for _, day := range r.days {
			if t = on(day); !r.byWeekday || t.Weekday() == r.weekday {
				break
			}
			t = time.Time{}
		}
	}
	if t.Month() != r.month {
		return time.Time{} // There is no such day in that year.
	}
	return t
}

// utcOffset reads a UTC-OFFSET (RFC 5545 section 3.3.14).
func utcOffset(s string) (time.Duration, error) {
	if (len(s) != 5 && len(s) != 7) || (s[0] != '+' && s[0] != '-') {
		return 0, errors.New("it is not of the form +hhmm")
	}
	n, err := strconv.ParseUint(s[1:], 10, 32)
	if err != nil {
		return 0, errors.New("it is not of the form +hhmm")
	}
	if len(s) == 5 {
		n *= 100
	}
	hours, minutes, seconds := n/10000, n/100%100, n%100
	if hours > 23 || minutes > 59 || seconds > 59 {
		return 0, errors.New("it is out of range")
	}
	d := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second
	if s[0] == '-' {
		d = -d
	}
	return d, nil
}
