package lint

import (
	"net/url"
	"strings"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/ical"
)

// person is an ORGANIZER or ATTENDEE.
type person struct {
	property *ical.Property
	key      string // the address to compare by; "" if it is none
	problem  string // why it is none
}

// readPerson reads a calendar user address: mailto: and a bare addr-spec (RFC 6047 section 2.3, RFC 6068).
func readPerson(p *ical.Property) person {
	who := person{property: p}
	value := strings.Trim(p.Value, " \t")
	if !hasPrefixFold(value, "mailto:") {
		who.problem = "no mailto: before the address"
		return who
	}
	spec := value[len("mailto:"):]
	if i := indexFold(spec, "%40"); i >= 0 {
		who.problem = "the @ is written %40, which Outlook does not read"
		spec = spec[:i] + "@" + spec[i+3:]
	}
	if strings.ContainsRune(spec, '%') && len(spec) <= 4*address.MaxAddress {
		if plain, err := url.PathUnescape(spec); err == nil {
			spec = plain
		}
	}
	a, ok := parseAddress(spec)
	if !ok {
		if who.problem == "" {
			who.problem = "what follows mailto: is not a bare address"
		}
		return who
	}
	who.key = a.Key()
	return who
}

// parseAddress reads an address, unless it is far too long to be one.
func parseAddress(s string) (address.Address, bool) {
	if len(s) > 4*address.MaxAddress {
		return address.Address{}, false
	}
	a, err := address.Parse(s)
	return a, err == nil
}

// people are those whom a calendar names, over all its events.
type people struct {
	organizers, attendees []person
	byKey                 map[string]*person // the attendees that have an address, each the first time it is named
}

// who reads the people once.
func (c *calendar) who() *people {
	if c.people == nil {
		c.people = &people{byKey: map[string]*person{}}
		for _, e := range c.events {
			for i := range e.Properties {
				switch p := &e.Properties[i]; p.Name {
				case "ORGANIZER":
					c.people.organizers = append(c.people.organizers, readPerson(p))
				case "ATTENDEE":
					c.people.attendees = append(c.people.attendees, readPerson(p))
				}
			}
		}
		for i := range c.people.attendees {
			a := &c.people.attendees[i]
			if a.key != "" && c.people.byKey[a.key] == nil {
				c.people.byKey[a.key] = a
			}
		}
	}
	return c.people
}

// organizer returns the key of the first organizer that has one.
func (p *people) organizer() string {
	for _, o := range p.organizers {
		if o.key != "" {
			return o.key
		}
	}
	return ""
}

// find returns the attendee of that key, or nil.
func (p *people) find(key string) *person { return p.byKey[key] }
