// Package ical reads iCalendar text (RFC 5545) as it stands. It is lenient: it keeps what it cannot
// make sense of, with the lines where that stands, and judges nothing.
package ical

import "strings"

// Stream is an iCalendar stream (RFC 5545 section 3.4).
type Stream struct {
	Top       []*Component // those of the outermost level
	Stray     []Property   // content lines outside of any component
	Broken    []Property   // content lines without a name and a colon
	Misnested []Property   // END lines that end nothing, or more than the innermost component
	Open      *Component   // the innermost that nothing ends; nil if all are ended
	Last      int          // the number of the last line that was read
}

// Component is what stands between BEGIN and END (section 3.6).
type Component struct {
	Name       string // in upper case
	Line, End  int    // of its BEGIN and its END, which is 0 if nothing ends it
	Properties []Property
	Components []*Component
}

// Property is a content line (section 3.1).
type Property struct {
	Name   string // in upper case
	Params string // as they stand, between name and colon
	Value  string // as it stands
	Raw    string // the lines as they are folded, without the last line end
	Line   int    // the first of them, from 1
}

// All yields the components of that name directly in s.
func (s *Stream) All(name string) func(yield func(*Component) bool) {
	return (&Component{Components: s.Top}).All(name)
}

// All yields the components of that name directly in c.
func (c *Component) All(name string) func(yield func(*Component) bool) {
	return func(yield func(*Component) bool) {
		for _, sub := range c.Components {
			if sub.Name == name && !yield(sub) {
				return
			}
		}
	}
}

// Each yields the properties of that name.
func (c *Component) Each(name string) func(yield func(*Property) bool) {
	return func(yield func(*Property) bool) {
		for i := range c.Properties {
			if c.Properties[i].Name == name && !yield(&c.Properties[i]) {
				return
			}
		}
	}
}

// Get returns the first property of that name, nil if there is none, and how many there are.
func (c *Component) Get(name string) (first *Property, n int) {
	for p := range c.Each(name) {
		if n++; first == nil {
			first = p
		}
	}
	return first, n
}

// Value returns the value of the first property of that name, or "".
func (c *Component) Value(name string) string {
	for p := range c.Each(name) {
		return p.Value
	}
	return ""
}

// Properties yields every property that stands in a component, with that component.
func (s *Stream) Properties(yield func(*Component, *Property) bool) {
	for _, top := range s.Top {
		if !top.walk(yield) {
			return
		}
	}
}

func (c *Component) walk(yield func(*Component, *Property) bool) bool {
	for i := range c.Properties {
		if !yield(c, &c.Properties[i]) {
			return false
		}
	}
	for _, sub := range c.Components {
		if !sub.walk(yield) {
			return false
		}
	}
	return true
}

// IsName reports whether s is a name: letters, digits and hyphens.
func IsName(s string) bool {
	const characters = "-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return s != "" && strings.Trim(s, characters) == ""
}
