package cronofytest

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// span reads when an event of somebody's calendar takes place: DTSTART, and DTEND or DURATION. around is the zone for times without
// one. tzid is that of the start if it is an IANA zone, else empty.
func (z *zones) span(calendar, event *ical.Component, around string) (start, end time.Time, tzid string, err error) {
	begin, _ := event.Get("DTSTART")
	if begin == nil {
		return start, end, "", errors.New("there is no DTSTART")
	}
	if start, tzid, err = z.instant(calendar, begin, around); err != nil {
		return start, end, "", err
	}
	if p, _ := event.Get("DTEND"); p != nil {
		end, _, err = z.instant(calendar, p, around)
		return start, end, tzid, err
	}
	if p, _ := event.Get("DURATION"); p != nil {
		d, err := duration(p.Value)
		return start, start.Add(d), tzid, err
	}
	return start, end, "", errors.New("there is neither DTEND nor DURATION")
}

// instant reads a DATE or DATE-TIME (RFC 5545 §3.3.4, §3.3.5). A day is its midnight in UTC.
func (z *zones) instant(calendar *ical.Component, p *ical.Property, around string) (t time.Time, tzid string, err error) {
	text := strings.TrimSpace(p.Value)
	if t, err = time.Parse("20060102", text); err == nil {
		return t, "", nil
	}
	if t, err = time.Parse(utcForm, text); err == nil {
		return t, "", nil
	}
	if t, err = time.Parse(localForm, text); err != nil {
		return t, "", fmt.Errorf("%s is no time", p.Name)
	}
	name := paramOf(p, "TZID")
	if name == "" {
		name = around
	}
	if loc := z.load(strings.TrimPrefix(name, "/")); loc != nil {
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, loc), strings.TrimPrefix(name, "/"), nil
	}
	for zone := range calendar.All("VTIMEZONE") {
		if value(zone, "TZID") == name {
			if offset, ok := offsetAt(zone, t); ok {
				return t.Add(-time.Duration(offset) * time.Second), "", nil
			}
		}
	}
	return t, "", fmt.Errorf("the time zone of %s is unknown", p.Name)
}

// offsetAt returns the seconds east of UTC that a VTIMEZONE has at a local time: those of the latest onset before it (RFC 5545 §3.6.5).
// Of recurrence rules it knows the one that is in use, a weekday of a month each year.
func offsetAt(zone *ical.Component, local time.Time) (seconds int, ok bool) {
	var latest time.Time
	for _, o := range zone.Components {
		onset, err := time.Parse(localForm, value(o, "DTSTART"))
		offset, good := parseOffset(value(o, "TZOFFSETTO"))
		if err != nil || !good {
			continue
		}
		if rule := value(o, "RRULE"); rule != "" {
			onset = yearly(rule, onset, local)
		}
		if !ok || !onset.After(local) && (latest.After(local) || onset.After(latest)) {
			seconds, latest, ok = offset, onset, true
		}
	}
	return seconds, ok
}

var (
	byDay   = regexp.MustCompile(`BYDAY=([+-]?\d)(SU|MO|TU|WE|TH|FR|SA)(?:;|$)`)
	byMonth = regexp.MustCompile(`BYMONTH=(\d\d?)(?:;|$)`)
)

// yearly returns the latest time up to local at which a yearly rule holds, or first if that is none or of another kind.
func yearly(rule string, first, local time.Time) time.Time {
	rule = strings.ToUpper(rule)
	m := byDay.FindStringSubmatch(rule)
	if m == nil || !strings.Contains(rule, "FREQ=YEARLY") || first.After(local) {
		return first
	}
	nth, _ := strconv.Atoi(m[1])
	weekday := time.Weekday(strings.Index("SUMOTUWETHFRSA", m[2]) / 2)
	month := first.Month()
	if m := byMonth.FindStringSubmatch(rule); m != nil { // Exchange lets every rule begin in January 1601
		n, _ := strconv.Atoi(m[1])
		month = time.Month(n)
	}
	for year := local.Year(); year >= local.Year()-1; year-- {
		clock := time.Duration(first.Hour())*time.Hour + time.Duration(first.Minute())*time.Minute
		at := nthWeekday(year, month, nth, weekday).Add(clock)
		if !at.After(local) && !at.Before(first) {
			return at
		}
	}
	return first
}

func nthWeekday(year int, month time.Month, nth int, weekday time.Weekday) time.Time {
	if nth < 0 {
		last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC)
		return last.AddDate(0, 0, -int(last.Weekday()-weekday+7)%7+7*(nth+1))
	}
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, 0, int(weekday-first.Weekday()+7)%7+7*(nth-1))
}

var offsetForm = regexp.MustCompile(`^([+-])(\d\d)(\d\d)(\d\d)?$`)

func parseOffset(s string) (seconds int, ok bool) {
	m := offsetForm.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	for i, unit := range []int{3600, 60, 1} {
		n, _ := strconv.Atoi(m[i+2])
		seconds += n * unit
	}
	if m[1] == "-" {
		seconds = -seconds
	}
	return seconds, true
}

var durationForm = regexp.MustCompile(`^\+?P(?:(\d{1,3})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?$`)

// duration reads a DURATION (RFC 5545 §3.3.6) that is not negative.
func duration(s string) (time.Duration, error) {
	m := durationForm.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(s)))
	if m == nil {
		return 0, errors.New("DURATION is no length of time")
	}
	var d time.Duration
	for i, unit := range []time.Duration{7 * day, day, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(m[i+1])
		d += time.Duration(n) * unit
	}
	return d, nil
}
