package calendar

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// The limits of a text. A real invitation has some kilobytes, three levels and a dozen parameters in a line.
const (
	MaxSize       = 256 << 10 // octets of the whole text
	MaxHead       = 8 << 10   // octets of one unfolded line before the colon that begins its value
	MaxParameters = 100       // parameters and listed parameter values in one line
	MaxDepth      = 8         // nested components
)

// opening is what a text begins with: no byte order mark and no blank line comes before it.
const opening = "BEGIN:VCALENDAR"

// scan reads a text that keeps the limits and the form of RFC 5545 section 3.4, and returns it with CRLF line ends as well.
func scan(text string) (object *ical.Component, wire []byte, _ error) {
	if len(text) > MaxSize {
		return nil, nil, fail(TooLarge, 0, "the text has %d octets, more than the %d allowed", len(text), MaxSize)
	}
	if text == "" {
		return nil, nil, fail(NotCalendar, 0, "the text is empty")
	}
	if len(text) < len(opening) || !strings.EqualFold(text[:len(opening)], opening) {
		return nil, nil, fail(NotCalendar, 1, "the text does not begin with %s", opening)
	}
	f := faults{}
	wire = make([]byte, 0, len(text)+len(text)/24+2)
	last := 0
	s, err := ical.Read(text, ical.Options{
		MaxLines: MaxSize, MaxNesting: MaxDepth,
		Line: func(line string, number int, end string) {
			last = number
			if end != "\r" { // which ends no line
				line = strings.TrimRight(line, "\r")
			} else {
				f.add(ControlCharacter, number, "the line holds the control character %#02x", '\r')
			}
			if i := strings.IndexAny(line, "\r\x00"); i >= 0 {
				f.add(ControlCharacter, number, "the line holds the control character %#02x", line[i])
			}
			wire = append(append(wire, line...), '\r', '\n')
		},
		Unfolded: func(line string, number int) {
			if !utf8.ValidString(line) {
				f.add(NotUTF8, number, "the line is not valid UTF-8")
			}
		},
	})
	if errors.Is(err, ical.ErrTooDeep) {
		f.add(TooDeep, last, "components are nested more than %d deep", MaxDepth)
	}
	f.frame(s)
	if f.first != nil {
		return nil, nil, f.first
	}
	if s.Open != nil {
		return nil, nil, fail(Truncated, 0, "the text ends before END:%s", s.Open.Name)
	}
	return s.Top[0], wire, nil
}

// faults keeps the fault that stands first in a text.
type faults struct{ first *Error }

func (f *faults) add(code Code, line int, format string, args ...any) {
	if f.first == nil || line < f.first.Line {
		f.first = fail(code, line, format, args...)
	}
}

// frame looks at what the text is made of: one VCALENDAR, and nothing after it.
func (f *faults) frame(s *ical.Stream) {
	if s.Top[0].Name != "VCALENDAR" {
		f.add(NotCalendar, s.Top[0].Line, "the text does not begin with %s", opening)
	}
	end := s.Top[0].End
	for _, c := range s.Top[1:] {
		f.add(TrailingText, c.Line, "text follows END:VCALENDAR")
	}
	for _, p := range s.Stray {
		f.add(TrailingText, p.Line, "text follows END:VCALENDAR")
	}
	for _, p := range s.Broken {
		switch {
		case end > 0 && p.Line > end:
			f.add(TrailingText, p.Line, "text follows END:VCALENDAR")
		case len(p.Raw) > MaxHead:
			f.add(LineTooLong, p.Line, "the line has more than %d octets before its value", MaxHead)
		default:
			f.add(Malformed, p.Line, "the line has no property name with a colon or semicolon after it, or no value")
		}
	}
	for _, p := range s.Misnested {
		if end > 0 && p.Line > end {
			f.add(TrailingText, p.Line, "text follows END:VCALENDAR")
			continue
		}
		f.add(Unbalanced, p.Line, "another component ends here than the one that is open")
	}
	f.components(s.Top[0].Components)
	for _, p := range s.Properties {
		f.head(p)
	}
}

func (f *faults) components(all []*ical.Component) {
	for _, c := range all {
		switch {
		case c.Name == "VCALENDAR":
			f.add(Malformed, c.Line, "a VCALENDAR begins inside another")
		case !ical.IsName(c.Name):
			f.add(Malformed, c.Line, "BEGIN is not followed by the name of a component")
		}
		f.components(c.Components)
	}
}

// head bounds what stands before the value of a property.
func (f *faults) head(p *ical.Property) {
	separators, quoted := 0, false
	for i := range len(p.Params) {
		switch c := p.Params[i]; {
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ';' || c == ','):
			separators++
		}
	}
	if separators >= MaxParameters {
		f.add(TooManyParameters, p.Line, "the line has more than %d parameters", MaxParameters)
	}
	if len(p.Name)+1+len(p.Params) > MaxHead {
		f.add(LineTooLong, p.Line, "the line has more than %d octets before its value", MaxHead)
	}
}
