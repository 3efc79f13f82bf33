package calendar

import (
	"errors"

	ics "github.com/arran4/golang-ical"
)

// component is a component of a text that scan has let through: its lines are unfolded, with names in upper case, and only those with
// properties that are read. They are parsed when they are asked for, for most texts have more in them than a mailer asks for: the
// alarms, and the VTIMEZONE of a zone that is in the IANA database.
type component struct {
	name  string // in upper case
	lines [][]byte
	subs  []*component
}

// all yields the components of that name directly in c.
func (c *component) all(name string) func(yield func(*component) bool) {
	return func(yield func(*component) bool) {
		for _, sub := range c.subs {
			if sub.name == name && !yield(sub) {
				return
			}
		}
	}
}

var errLine = errors.New("it is not of the form name:value")

// properties parses the lines of c.
func (c *component) properties() (properties, error) {
	p := make(properties, 0, len(c.lines))
	for _, line := range c.lines {
		property, err := ics.ParseProperty(ics.ContentLine(line))
		if err == nil && property == nil {
			err = errLine
		}
		if err != nil {
			return nil, &Error{Code: Malformed, Reason: "a line cannot be read", Err: err}
		}
		p = append(p, property)
	}
	return p, nil
}

// properties are the properties of one component.
type properties []*ics.BaseProperty

func (p properties) first(name string) *ics.BaseProperty {
	for _, property := range p {
		if property.IANAToken == name {
			return property
		}
	}
	return nil
}

// value returns the value of the first property of that name, or "".
func (p properties) value(name string) string {
	if first := p.first(name); first != nil {
		return first.Value
	}
	return ""
}
