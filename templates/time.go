package templates

import (
	"strings"
	"time"

	"github.com/go-playground/locales"

	"github.com/invitemailer/invitemailer/internal/zone"
)

// An EventTime is when something takes place, written in a language and by the clocks of one zone.
// Render makes them; the sentence around them is the template "time" of each language.
type EventTime struct {
	// AllDay says that there are no times of day: true or false.
	AllDay bool
	// StartDate is the first day: "Thursday, 29 April 2027".
	StartDate string
	// StartTime is the time of day on it: "09:30". Empty for AllDay.
	StartTime string
	// EndDate is the last day: "Friday, 30 April 2027". Empty if it is the first one.
	EndDate string
	// EndTime is the time of day on it: "10:00". Empty for AllDay, and where
	// there is no end or no duration.
	EndTime string
	// Days counts the days of an AllDay event: 3. Otherwise 0.
	Days int
	// Plural is CLDR's class of the number Days: "zero", "one", "two", "few", "many" or "other".
	Plural string
	// Zone names the zone: "Europe/London, UTC+01:00". Empty for a floating time.
	Zone string
	// EndOffset is the offset at the end, if clocks change in between:
	// "UTC+00:00". Otherwise empty.
	EndOffset string
	// Event marks the second of Data.Times, which is by the clocks of the
	// event's zone: true or false.
	Event bool
}

// setTimes writes the times of d and of its changes.
func (d *Data) setTimes(c locales.Translator) {
	d.Times = nil
	if !d.Start.IsZero() {
		local := eventTime(c, d.time())
		d.Times = []EventTime{local}
		if readers, ok := d.time().in(d.Zone); ok {
			local.Event = true
			d.Times = []EventTime{eventTime(c, readers), local}
		}
	}
	for i := range d.Changes {
		was, is := &d.Changes[i].Old, &d.Changes[i].New
		was.setTime(c, d.Zone)
		is.setTime(c, d.Zone)
		if was.Time != nil && is.Time != nil && *was.Time == *is.Time {
			// The event moved to another zone, not to another hour:
			// the reader's zone would not show it.
			was.setTime(c, nil)
			is.setTime(c, nil)
		}
	}
}

// setTime writes the time of v, if it is one, by the clocks of a zone, or by its own for nil.
func (v *Value) setTime(c locales.Translator, zone *time.Location) {
	v.Time = nil
	if v.Start.IsZero() {
		return
	}
	shown, _ := v.in(zone)
	t := eventTime(c, shown)
	v.Time = &t
}

// in is a time by the clocks of a zone, and whether they show another one than
// its own; if not, it is v. Dates and floating times are the same everywhere.
func (v Value) in(zone *time.Location) (Value, bool) {
	start, end := inZone(v.Start, v.TZID), v.End
	if zone == nil || zone == time.Local || v.AllDay || start.Location() == time.Local {
		return v, false
	}
	if end.Before(start) {
		end = start
	}
	if offsetAt(start, zone) == offsetAt(start, start.Location()) &&
		offsetAt(end, zone) == offsetAt(end, start.Location()) {
		return v, false
	}
	return Value{Start: start.In(zone), End: end, TZID: shorten(oneLine(zone.String()), maxName)}, true
}

func offsetAt(t time.Time, loc *time.Location) int {
	_, seconds := t.In(loc).Zone()
	return seconds
}

func eventTime(c locales.Translator, v Value) EventTime {
	if v.AllDay {
		return days(c, v.Start, v.End)
	}
	start := inZone(v.Start, v.TZID)
	t := EventTime{StartDate: c.FmtDateFull(start), StartTime: clock(c, start), Zone: zoneName(start, v.TZID)}
	if !v.End.After(start) {
		return t
	}
	end := v.End.In(start.Location())
	t.EndTime = clock(c, end)
	if !sameDate(start, end) {
		t.EndDate = c.FmtDateFull(end)
	}
	if start.Location() != time.Local && offset(start) != offset(end) {
		t.EndOffset = offset(end)
	}
	return t
}

func days(c locales.Translator, start, end time.Time) EventTime {
	first, last := date(start), lastDay(start, end)
	m := EventTime{AllDay: true, StartDate: c.FmtDateFull(first), Days: int(last.Sub(first)/(24*time.Hour)) + 1}
	if m.Days > 1 {
		m.EndDate = c.FmtDateFull(last)
	}
	m.Plural = strings.ToLower(strings.TrimPrefix(c.CardinalPluralRule(float64(m.Days), 0).String(), "PluralRule"))
	return m
}

// clock leaves seconds out where there are none.
func clock(c locales.Translator, t time.Time) string {
	if t.Second() != 0 {
		return c.FmtTimeMedium(t)
	}
	return c.FmtTimeShort(t)
}

// zoneName names the zone that t is shown in: by IANA city and UTC offset, by what
// is known of the two, or not at all for a floating time.
func zoneName(t time.Time, tzid string) string {
	t = inZone(t, tzid)
	switch {
	case isUTC(tzid), tzid == "" && isUTC(t.Location().String()):
		return "UTC"
	case t.Location() == time.Local:
		// A floating time, or a name that no table of zones has: the offset is not known.
		return tzid
	case tzid == "" || strings.HasPrefix(tzid, "Etc/"):
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

// inZone shows t in the zone of that name, if t is not in it already and the name is known.
func inZone(t time.Time, tzid string) time.Time {
	if t.Location().String() == tzid {
		return t
	}
	if location, ok := zone.Load(tzid); ok {
		return t.In(location)
	}
	return t
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
