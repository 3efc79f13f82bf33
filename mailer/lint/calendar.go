package lint

import (
	"net/url"
	"strings"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/ical"
)

// calendar is an iCalendar stream and what the rules ask of it.
type calendar struct {
	*ical.Stream
	text string
	// objects are the components of the outermost level that are VCALENDARs. The rules look at the
	// first.
	objects []*ical.Component

	events []*ical.Component // the VEVENTs of the first VCALENDAR
	zones  map[string]*ical.Component
	method string // METHOD in upper case; "" if there is none that counts

	// Those whom the events name.
	organizers, attendees []*person
	byKey                 map[string]*person // the attendees that have an address, each the first time
}

// newCalendar picks out what most rules ask for; nil if there is no VCALENDAR.
func newCalendar(text string, s *ical.Stream) *calendar {
	c := &calendar{Stream: s, text: text, zones: map[string]*ical.Component{}, byKey: map[string]*person{}}
	for object := range s.All("VCALENDAR") {
		c.objects = append(c.objects, object)
	}
	if len(c.objects) == 0 {
		return nil
	}
	c.method = strings.ToUpper(strings.Trim(c.objects[0].Value("METHOD"), " \t"))
	for zone := range c.objects[0].All("VTIMEZONE") {
		c.zones[zone.Value("TZID")] = zone
	}
	for e := range c.objects[0].All("VEVENT") {
		c.events = append(c.events, e)
		for p := range e.Each("ORGANIZER") {
			c.organizers = append(c.organizers, readPerson(p))
		}
		for p := range e.Each("ATTENDEE") {
			a := readPerson(p)
			c.attendees = append(c.attendees, a)
			if a.key != "" && c.byKey[a.key] == nil {
				c.byKey[a.key] = a
			}
		}
	}
	return c
}

// main is the VEVENT that speaks for all: the one without RECURRENCE-ID, else the first; nil if
// there is none.
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

// organizer returns the key of the first organizer that has one.
func (c *calendar) organizer() string {
	for _, o := range c.organizers {
		if o.key != "" {
			return o.key
		}
	}
	return ""
}

// lines yields the lines as they are folded, with their numbers and without the LF and the CR
// before it.
func (c *calendar) lines(yield func(int, string) bool) {
	number := 0
	for line := range strings.Lines(c.text) {
		number++
		if !yield(number, strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")) {
			return
		}
	}
}

// person is an ORGANIZER or ATTENDEE.
type person struct {
	property *ical.Property
	key      string // the address to compare by; "" if it is none
	problem  string // why it is none
}

// readPerson reads a calendar user address: mailto: and a bare addr-spec (RFC 6047 section 2.3, RFC
// 6068).
func readPerson(p *ical.Property) *person {
	who := &person{property: p}
	value := strings.Trim(p.Value, " \t")
	if !hasPrefixFold(value, "mailto:") {
		who.problem = "no mailto: before the address"
		return who
	}
	spec := value[len("mailto:"):]
	if strings.Contains(spec, "%40") {
		who.problem = "the @ is written %40, which Outlook does not read"
	}
	if plain, err := url.PathUnescape(spec); err == nil {
		spec = plain
	}
	a, err := address.Parse(spec)
	if err != nil && who.problem == "" {
		who.problem = "what follows mailto: is not a bare address"
	}
	who.key = a.Key()
	return who
}
