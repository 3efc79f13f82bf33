package templates

import (
	"fmt"
	"strings"
	"time"
)

const (
	dateLayout = "Monday, 2 January 2006"
	dash       = " – "
)

// when is the event's time in words.
func when(d *Data) string { return span(d.Start, d.End, d.AllDay, d.TZID) }

// span is a time in English, such as
// "Thursday, 29 April 2027, 09:30 – 10:00 (Europe/London, UTC+01:00)".
func span(start, end time.Time, allDay bool, tzid string) string {
	if start.IsZero() {
		return ""
	}
	if allDay {
		return days(start, end)
	}
	start = inZone(start, tzid)
	if !end.IsZero() {
		end = end.In(start.Location())
	}
	var b strings.Builder
	b.WriteString(start.Format(dateLayout))
	b.WriteString(", ")
	b.WriteString(clock(start))
	if !end.After(start) {
		end = start
	} else {
		b.WriteString(dash)
		if !sameDate(start, end) {
			b.WriteString(end.Format(dateLayout))
			b.WriteString(", ")
		}
		b.WriteString(clock(end))
	}
	b.WriteString(" (")
	b.WriteString(zones(start, end, tzid))
	b.WriteString(")")
	return b.String()
}

func days(start, end time.Time) string {
	first, last := date(start), lastDay(start, end)
	if !last.After(first) {
		return first.Format(dateLayout) + " (all day)"
	}
	n := int(last.Sub(first)/(24*time.Hour)) + 1
	return fmt.Sprintf("%s%s%s (all day, %d days)", first.Format(dateLayout), dash, last.Format(dateLayout), n)
}

// clock leaves seconds out where there are none.
func clock(t time.Time) string {
	if t.Second() != 0 {
		return t.Format("15:04:05")
	}
	return t.Format("15:04")
}

// zones is the zone of the start, and of the end where clocks change in between.
func zones(start, end time.Time, tzid string) string {
	label := zone(start, tzid)
	if _, a := start.Zone(); start.Location() != time.Local {
		if _, b := end.Zone(); a != b {
			return fmt.Sprintf("%s at the start, %s at the end: the clocks change in between", label, offset(end))
		}
	}
	return label
}

// zone names the zone that t is shown in: by IANA city and UTC offset, by what
// is known of the two, or as the reader's own for a floating time.
func zone(t time.Time, tzid string) string {
	t = inZone(t, tzid)
	floating := t.Location() == time.Local
	switch {
	case isUTC(tzid), tzid == "" && isUTC(t.Location().String()):
		return "UTC"
	case tzid == "" && floating:
		return "local time"
	case floating:
		// A name that no table of zones has: its offset is anybody's guess.
		return tzid
	case tzid == "", strings.HasPrefix(tzid, "Etc/"):
		// Etc/GMT+5 is five hours behind UTC: the name would mislead.
		return offset(t)
	default:
		return tzid + ", " + offset(t)
	}
}

func offset(t time.Time) string { return t.Format("UTC-07:00") }

func isUTC(name string) bool {
	switch strings.TrimPrefix(name, "Etc/") {
	case "UTC", "UCT", "Z", "Zulu", "Universal":
		return true
	}
	return false
}

// inZone shows t in the zone of that name, if t is not in it already and the
// name is known.
func inZone(t time.Time, tzid string) time.Time {
	if tzid == "" || tzid == "Local" || t.Location().String() == tzid {
		return t
	}
	loc, err := time.LoadLocation(tzid)
	if err != nil {
		return t
	}
	return t.In(loc)
}

// date is t's calendar day, as midnight UTC so that days can be counted.
func date(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func sameDate(a, b time.Time) bool { return date(a).Equal(date(b)) }

// lastDay is the last day of an event of whole days, whose end is exclusive.
func lastDay(start, end time.Time) time.Time {
	first := date(start)
	if last := date(end).AddDate(0, 0, -1); last.After(first) {
		return last
	}
	return first
}
