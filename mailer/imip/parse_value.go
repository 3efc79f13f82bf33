package imip

import (
	"net/url"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/mailer/address"
)

// each yields the parameters of a property (RFC 5545 section 3.2). A part without "=" has no name.
func (p *property) each(yield func(param) bool) {
	rest := p.params
	for rest != "" {
		end, quoted := len(rest), false
		for i := range len(rest) {
			if rest[i] == '"' {
				quoted = !quoted
			} else if rest[i] == ';' && !quoted {
				end = i
				break
			}
		}
		one := rest[:end]
		rest = strings.TrimPrefix(rest[end:], ";")
		name, value, ok := strings.Cut(one, "=")
		if !ok {
			name, value = "", one
		}
		q := len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' && strings.Count(value, `"`) == 2
		if q {
			value = value[1 : len(value)-1]
		}
		if !yield(param{name: strings.ToUpper(name), value: value, quoted: q}) {
			return
		}
	}
}

// param returns the first parameter of that name, in upper case.
func (p *property) param(name string) (param, bool) {
	if p.params == "" {
		return param{}, false
	}
	for q := range p.each {
		if q.name == name {
			return q, true
		}
	}
	return param{}, false
}

// when is a DATE or DATE-TIME (RFC 5545 sections 3.3.4 and 3.3.5).
type when struct {
	ok    bool
	clock time.Time // the wall clock, written as UTC
	day   bool
	utc   bool
	tzid  string
}

// floating: a wall-clock time that means another hour wherever it is read.
func (w when) floating() bool { return w.ok && !w.day && !w.utc && w.tzid == "" }

// when reads the value of a property that has one.
func (p *property) when() when {
	tzid, _ := p.param("TZID")
	return readWhen(p.value, tzid.value)
}

func readWhen(value, tzid string) when {
	w := when{tzid: tzid}
	var err error
	switch len(value) {
	case len("20060102"):
		w.day = true
		w.clock, err = time.Parse("20060102", value)
	case len("20060102T150405"):
		w.clock, err = time.Parse("20060102T150405", value)
	case len("20060102T150405Z"):
		w.utc = true
		w.clock, err = time.Parse("20060102T150405Z", value)
	default:
		return w
	}
	w.ok = err == nil
	return w
}

// valueType returns DATE, or DATE-TIME.
func (w when) valueType() string {
	if w.day {
		return "DATE"
	}
	return "DATE-TIME"
}

// person is an ORGANIZER or ATTENDEE.
type person struct {
	property *property
	key      string // the address to compare by; "" if it is none
	problem  string // why it is none
}

// readPerson reads a calendar user address: mailto: and a bare addr-spec (RFC 6047 section 2.3, RFC 6068).
func readPerson(p *property) person {
	who := person{property: p}
	value := strings.Trim(p.value, " \t")
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
			for i := range e.props {
				switch p := &e.props[i]; p.name {
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

// unescapeText undoes the escaping of a TEXT value (RFC 5545 section 3.3.11).
func unescapeText(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) {
			i++
			if c = s[i]; c == 'n' || c == 'N' {
				c = '\n'
			}
		}
		b = append(b, c)
	}
	return string(b)
}

// unescapeParam undoes RFC 6868.
func unescapeParam(s string) string {
	if strings.IndexByte(s, '^') < 0 {
		return s
	}
	return strings.NewReplacer("^^", "^", "^n", "\n", "^'", `"`).Replace(s)
}
