package calendar

import (
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/zone"
)

// zones finds out what the TZIDs of one text mean.
type zones struct {
	text  *ical.Component
	known *zone.Zones

	// The zone looked up last: the start and the end of an event mostly share it. It is in the IANA database, or the text describes it.
	name      string
	location  *time.Location
	described []*observance
}

// at returns the instant at which the clock in the zone shows wall.
func (z *zones) at(tzid string, wall time.Time) (time.Time, error) {
	if z.name != tzid {
		if err := z.find(tzid); err != nil {
			return time.Time{}, err
		}
	}
	if z.location != nil {
		return time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, z.location), nil
	}
	offset := offsetAt(z.described, wall)
	return wall.Add(-offset).In(time.FixedZone(tzid, int(offset/time.Second))), nil
}

// find looks a zone up, in the IANA database and then in the text.
func (z *zones) find(tzid string) error {
	if z.location = z.iana(tzid); z.location == nil {
		described, err := z.describe(tzid)
		if err != nil {
			return err
		}
		z.described = described
	}
	z.name = tzid
	return nil
}

// describe reads the VTIMEZONE of that name.
func (z *zones) describe(tzid string) ([]*observance, error) {
	for described := range z.text.All("VTIMEZONE") {
		if text(described, "TZID") != tzid {
			continue
		}
		observances, err := readObservances(described)
		if err != nil {
			return nil, &Error{Code: UnknownTimeZone, Reason: "its VTIMEZONE cannot be read", Err: err}
		}
		return observances, nil
	}
	return nil, fail(UnknownTimeZone, 0, "the time zone %.60q is not an IANA name, and no VTIMEZONE in the text explains it", tzid)
}

// iana looks a name up in the IANA database. A name that begins with a slash is from some registry (RFC 5545 section 3.2.19), and
// those in use end in an IANA name, as in /citadel.org/20210210_1/Europe/London.
func (z *zones) iana(tzid string) *time.Location {
	const longest = 64 // The longest name in the database has 32 characters.
	if len(tzid) > longest {
		return nil
	}
	if !strings.HasPrefix(tzid, "/") {
		loc, _ := z.known.Load(tzid)
		return loc
	}
	for name := tzid[1:]; strings.Contains(name, "/"); {
		_, name, _ = strings.Cut(name, "/")
		if loc, ok := z.known.Load(name); ok {
			return loc
		}
	}
	return nil
}
