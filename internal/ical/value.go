package ical

import (
	"strings"
	"time"
)

// Parameter is a parameter of a property (RFC 5545 section 3.2).
type Parameter struct {
	Name   string // in upper case; "" for a part without "="
	Value  string // without quotes
	Quoted bool
}

// Parameters yields the parameters of a property.
func (p *Property) Parameters(yield func(Parameter) bool) {
	rest := p.Params
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
		if !yield(Parameter{Name: strings.ToUpper(name), Value: value, Quoted: q}) {
			return
		}
	}
}

// Parameter returns the first parameter of that name, in upper case.
func (p *Property) Parameter(name string) (Parameter, bool) {
	for q := range p.Parameters {
		if q.Name == name {
			return q, true
		}
	}
	return Parameter{}, false
}

// Misquoted tells a value with double quotes that enclose neither all of it nor
// whole values of a list.
func (q Parameter) Misquoted() bool {
	return !q.Quoted && strings.Contains(q.Value, `"`) && !quotedList(q.Value)
}

// quotedList reports whether s is a list of values of which some are quoted, such as "mailto:a@x","mailto:b@x".
func quotedList(s string) bool {
	for s != "" {
		if s[0] != '"' {
			n := strings.IndexByte(s, ',')
			if n < 0 {
				return !strings.Contains(s, `"`)
			}
			if strings.Contains(s[:n], `"`) {
				return false
			}
			s = s[n+1:]
			continue
		}
		n := strings.IndexByte(s[1:], '"')
		if n < 0 {
			return false
		}
		if s = s[n+2:]; s != "" && s[0] != ',' {
			return false
		}
		s = strings.TrimPrefix(s, ",")
	}
	return true
}

// Text returns the value, a TEXT, without its escapes (section 3.3.11).
func (p *Property) Text() string { return UnescapeText(p.Value) }

// When is a DATE or DATE-TIME (sections 3.3.4 and 3.3.5).
type When struct {
	OK    bool
	Clock time.Time // the wall clock, written as UTC
	Day   bool
	UTC   bool
	TZID  string
}

// Floating tells a wall-clock time that means another hour wherever it is read.
func (w When) Floating() bool { return w.OK && !w.Day && !w.UTC && w.TZID == "" }

// ValueType returns DATE, or DATE-TIME.
func (w When) ValueType() string {
	if w.Day {
		return "DATE"
	}
	return "DATE-TIME"
}

// When reads the value of a property that has one.
func (p *Property) When() When {
	tzid, _ := p.Parameter("TZID")
	return ReadWhen(p.Value, tzid.Value)
}

// ReadWhen reads a DATE or DATE-TIME; OK is false for anything else.
func ReadWhen(value, tzid string) When {
	w := When{TZID: tzid}
	var err error
	switch len(value) {
	case len("20060102"):
		w.Day = true
		w.Clock, err = time.Parse("20060102", value)
	case len("20060102T150405"):
		w.Clock, err = time.Parse("20060102T150405", value)
	case len("20060102T150405Z"):
		w.UTC = true
		w.Clock, err = time.Parse("20060102T150405Z", value)
	default:
		return w
	}
	w.OK = err == nil
	return w
}

// UnescapeText undoes the escaping of a TEXT value (section 3.3.11).
func UnescapeText(s string) string {
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

// UnescapeParameter undoes RFC 6868.
func UnescapeParameter(s string) string {
	if strings.IndexByte(s, '^') < 0 {
		return s
	}
	return strings.NewReplacer("^^", "^", "^n", "\n", "^'", `"`).Replace(s)
}
