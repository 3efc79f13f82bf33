package templates

import (
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/zone"
)

// An EventTime is when something takes place, in the words of a language and by
// the clocks of one zone. Render makes them; the sentence around them is the
// template "time" of each language.
type EventTime struct {
	// AllDay says that there are no times of day: true or false.
	AllDay bool
	// StartDate is the first day: "Thursday, 29 April 2027".
	StartDate string
	// StartTime is the time of day on it: "09:30". Empty for AllDay.
	StartTime string
	// EndDate is the last day: "Friday, 30 April 2027". Empty if it is the
	// first one.
	EndDate string
	// EndTime is the time of day on it: "10:00". Empty for AllDay, and where
	// there is no end or no duration.
	EndTime string
	// Days counts the days of an AllDay event: 3. Otherwise 0.
	Days int
	// Plural is CLDR's class of the number Days: "zero", "one", "two", "few",
	// "many" or "other".
	Plural string
	// Zone names the zone: "Europe/London, UTC+01:00". Empty for a floating
	// time.
	Zone string
	// EndOffset is the offset at the end, if clocks change in between:
	// "UTC+00:00". Otherwise empty.
	EndOffset string
	// Event marks the second of Data.Times, which is by the clocks of the
	// event's zone: true or false.
	Event bool
}

// tell puts the times into words: those of d and of its changes.
func (d *Data) tell(c calendar) {
	d.Times = nil
	if !d.Start.IsZero() {
		local := eventTime(c, d.Start, d.End, d.AllDay, d.TZID)
		if theirs, ok := d.elsewhere(c, d.Start, d.End, d.AllDay, d.TZID); ok {
			local.Event = true
			d.Times = []EventTime{theirs, local}
		} else {
			d.Times = []EventTime{local}
		}
	}
	for i := range d.Changes {
		was, is := &d.Changes[i].Old, &d.Changes[i].New
		was.Time, is.Time = d.told(c, was), d.told(c, is)
		if was.Time != nil && is.Time != nil && *was.Time == *is.Time {
			// The event moved to another zone, not to another hour:
			// the reader's zone would not show it.
			*was.Time = eventTime(c, was.Start, was.End, was.AllDay, was.TZID)
			*is.Time = eventTime(c, is.Start, is.End, is.AllDay, is.TZID)
		}
	}
}

func (d *Data) told(c calendar, v *Value) *EventTime {
	if v.Start.IsZero() {
		return nil
	}
	m, ok := d.elsewhere(c, v.Start, v.End, v.AllDay, v.TZID)
	if !ok {
		m = eventTime(c, v.Start, v.End, v.AllDay, v.TZID)
	}
	return &m
}

// elsewhere is a time by the reader's clocks, if they show another one than the
// event's. Dates and floating times are the same everywhere.
func (d *Data) elsewhere(c calendar, start, end time.Time, allDay bool, tzid string) (EventTime, bool) {
	if d.Zone == nil || d.Zone == time.Local || allDay {
		return EventTime{}, false
	}
	start = inZone(start, tzid)
	if start.Location() == time.Local {
		return EventTime{}, false
	}
	if end.Before(start) {
		end = start
	}
	if offsetAt(start, d.Zone) == offsetAt(start, start.Location()) && offsetAt(end, d.Zone) == offsetAt(end, start.Location()) {
		return EventTime{}, false
	}
	return eventTime(c, start.In(d.Zone), end, false, shorten(oneLine(d.Zone.String()), maxName)), true
}

func offsetAt(t time.Time, loc *time.Location) int {
	_, seconds := t.In(loc).Zone()
	return seconds
}

func eventTime(c calendar, start, end time.Time, allDay bool, tzid string) EventTime {
	if allDay {
		return days(c, start, end)
	}
	start = inZone(start, tzid)
	m := EventTime{StartDate: c.FmtDateFull(start), StartTime: clock(c, start), Zone: zoneName(start, tzid)}
	if !end.After(start) {
		return m
	}
	end = end.In(start.Location())
	m.EndTime = clock(c, end)
	if !sameDate(start, end) {
		m.EndDate = c.FmtDateFull(end)
	}
	if start.Location() != time.Local && offsetAt(start, start.Location()) != offsetAt(end, start.Location()) {
		m.EndOffset = offset(end)
	}
	return m
}

func days(c calendar, start, end time.Time) EventTime {
	first, last := date(start), lastDay(start, end)
	m := EventTime{AllDay: true, StartDate: c.FmtDateFull(first), Days: int(last.Sub(first)/(24*time.Hour)) + 1}
	if m.Days > 1 {
		m.EndDate = c.FmtDateFull(last)
	}
	m.Plural = strings.ToLower(strings.TrimPrefix(c.CardinalPluralRule(float64(m.Days), 0).String(), "PluralRule"))
	return m
}

// clock leaves seconds out where there are none.
func clock(c calendar, t time.Time) string {
	if t.Second() != 0 {
		return c.FmtTimeMedium(t)
	}
	return c.FmtTimeShort(t)
}

// zoneName names the zone that t is shown in: by IANA city and UTC offset, by what
// is known of the two, or not at all for a floating time.
func zoneName(t time.Time, tzid string) string {
	t = inZone(t, tzid)
	floating := t.Location() == time.Local
	switch {
	case isUTC(tzid), tzid == "" && isUTC(t.Location().String()):
		return "UTC"
	case floating:
		// A name that no table of zones has: its offset is anybody's guess.
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

// inZone shows t in the zone of that name, if t is not in it already and the
// name is known.
func inZone(t time.Time, tzid string) time.Time {
	if t.Location().String() == tzid {
		return t
	}
	location, ok := (*zone.Zones)(nil).Load(tzid)
	if !ok {
		return t
	}
	return t.In(location)
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
