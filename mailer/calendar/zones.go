package calendar

import (
	"strings"
	"time"
	_ "time/tzdata" // The IANA database travels with the program.

	ics "github.com/arran4/golang-ical"
)

// zones finds out what the TZIDs of one text mean.
type zones struct {
	text *ics.Calendar

	// The IANA zone looked up last: the start and the end of an event mostly share it.
	name     string
	location *time.Location
}

// at returns the instant at which the clock in the zone shows wall.
func (z *zones) at(tzid string, wall time.Time) (time.Time, error) {
	if z.name != tzid {
		z.name, z.location = tzid, iana(tzid)
	}
	if z.location != nil {
		return time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, z.location), nil
	}
	described := z.described(tzid)
	if described == nil {
		return time.Time{}, fail(UnknownTimeZone, 0, "the time zone %.60q is not an IANA name, and no VTIMEZONE in the text explains it", tzid)
	}
	offset, err := offsetAt(described.SubComponents(), wall)
	if err != nil {
		return time.Time{}, &Error{Code: UnknownTimeZone, Reason: "its VTIMEZONE cannot be read", Err: err}
	}
	at := wall.Add(-offset)
	return at.In(time.FixedZone(tzid, int(offset/time.Second))), nil
}

// described returns the VTIMEZONE of that name.
func (z *zones) described(tzid string) *ics.VTimezone {
	for _, component := range z.text.Components {
		if zone, ok := component.(*ics.VTimezone); ok && properties(zone.Properties).value("TZID") == tzid {
			return zone
		}
	}
	return nil
}

// iana looks a name up in the IANA database. A name that begins with a slash is from some registry (RFC 5545 section 3.2.19), and
// those in use end in an IANA name, as in /citadel.org/20210210_1/Europe/London.
func iana(tzid string) *time.Location {
	const longest = 64                                      // The longest name in the database has 32 characters.
	if len(tzid) > longest || strings.Contains(tzid, " ") { // Windows names have spaces: save the search through the file system.
		return nil
	}
	if !strings.HasPrefix(tzid, "/") {
		return load(tzid)
	}
	for name := tzid[1:]; strings.Contains(name, "/"); {
		_, name, _ = strings.Cut(name, "/")
		if loc := load(name); loc != nil {
			return loc
		}
	}
	return nil
}

// load is time.LoadLocation without the names by which it finds the zone of the machine, or files beside the database.
func load(name string) *time.Location {
	switch area, _, _ := strings.Cut(strings.ToLower(name), "/"); area {
	case "", "local", "localtime", "posix", "posixrules", "right":
		return nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return loc
}
