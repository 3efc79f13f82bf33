package calendar

import (
	"strings"
	"time"
	_ "time/tzdata" // The IANA database travels with the program.

	ics "github.com/arran4/golang-ical"
)

// zones finds out what a TZID means.
type zones struct {
	text *ics.Calendar
}

// at returns the instant at which the clock in the zone shows wall.
func (z *zones) at(tzid string, wall time.Time) (time.Time, error) {
	if loc := iana(tzid); loc != nil {
		return time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, loc), nil
	}
	return time.Time{}, fail(UnknownTimeZone, 0, "the time zone %q is not an IANA name, and no VTIMEZONE in the text explains it", tzid)
}

// iana looks a name up in the IANA database. Names that begin with a slash (RFC 5545 section 3.2.19) often end in an IANA name.
func iana(tzid string) *time.Location {
	name := tzid
	for strings.HasPrefix(name, "/") {
		_, name, _ = strings.Cut(name[1:], "/")
		if loc := load(name); loc != nil {
			return loc
		}
		if name != "" {
			name = "/" + name
		}
	}
	return load(name)
}

func load(name string) *time.Location {
	if name == "" || strings.EqualFold(name, "Local") { // time.LoadLocation would give the machine's zone.
		return nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return loc
}
