package calendar

import "github.com/invitemailer/invitemailer/internal/ical"

// Times reads only when an event takes place, for a text whose other faults do not matter. The
// result has DTStamp, Start, End, AllDay, Floating and TZID; object holds the VTIMEZONEs.
func Times(object, event *ical.Component) (*Calendar, error) {
	c := &Calendar{}
	err := c.readTimes(event, zones{object})
	return c, err
}
