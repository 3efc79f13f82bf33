package lint

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/mimetree"
)

// calendar is an iCalendar stream and what the rules ask of it.
type calendar struct {
	*ical.Stream
	lines lines
	// objects are the components of the outermost level that are VCALENDARs. The rules
	// look at the first.
	objects []*ical.Component

	events []*ical.Component // the VEVENTs of the first VCALENDAR
	zones  map[string]*ical.Component
	method string // METHOD in upper case; "" if there is none that counts
	people *people
}

// readCalendar reads d.calendarText into d.cal, unless it is beyond the limits or no calendar at all.
func (d *document) readCalendar(from *mimetree.Part) {
	text := strings.TrimPrefix(d.calendarText, bom)
	skipped := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
	if !hasPrefixFold(text[skipped:], "BEGIN:VCALENDAR") {
		return // IM23 says so
	}
	c := &calendar{}
	var err error
	c.Stream, err = ical.Read(text, ical.Options{MaxLines: MaxLines, MaxNesting: MaxNesting, Line: c.lines.look, Unfolded: func(line string, number int) {
		if !utf8.ValidString(line) {
			c.lines.badUTF8.see(number)
		}
	}})
	if err != nil {
		limit := "it has more than 100,000 content lines"
		if errors.Is(err, ical.ErrTooDeep) {
			limit = "components are nested deeper than 16"
		}
		d.stop(place{part: from, line: c.lines.number}, Calendar, "%s; the calendar was not checked", limit)
		return
	}
	c.index()
	if len(c.objects) == 0 {
		d.stop(place{part: from, line: 1}, Calendar, "it begins with %s and not with a VCALENDAR", quote(text[:min(len(text), maxQuote)]))
		return
	}
	d.cal, d.method = c, c.method
}

// index picks out what most rules ask for.
func (c *calendar) index() {
	c.zones = map[string]*ical.Component{}
	for object := range c.All("VCALENDAR") {
		c.objects = append(c.objects, object)
	}
	if len(c.objects) == 0 {
		return
	}
	object := c.objects[0]
	if p, n := object.Get("METHOD"); n > 0 {
		c.method = strings.ToUpper(strings.Trim(p.Value, " \t"))
	}
	for _, sub := range object.Components {
		switch sub.Name {
		case "VEVENT":
			c.events = append(c.events, sub)
		case "VTIMEZONE":
			c.zones[sub.Value("TZID")] = sub
		}
	}
}

// main is the VEVENT that speaks for all: the one without RECURRENCE-ID, else the first; nil if there is none.
func (c *calendar) main() *ical.Component {
	for _, e := range c.events {
		if _, n := e.Get("RECURRENCE-ID"); n == 0 {
			return e
		}
	}
	if len(c.events) > 0 {
		return c.events[0]
	}
	return nil
}
