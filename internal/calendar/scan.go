package calendar

import (
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// The limits of a text. A real invitation has some kilobytes, three levels and a dozen parameters
// in a line.
const (
	MaxSize       = 256 << 10 // octets of the whole text
	MaxHead       = 8 << 10   // octets of one unfolded line before the colon that begins its value
	MaxParameters = 100       // parameters and listed parameter values in one line
	MaxDepth      = 8         // nested components
)

// opening is what a text begins with: no byte order mark and no blank line comes before it.
const opening = "BEGIN:VCALENDAR"

// scan reads a text that keeps the limits and the form of RFC 5545 section 3.4.
func scan(text string) (*ical.Component, error) {
	switch {
	case len(text) > MaxSize:
		return nil, fail(0, "the text has %d octets, more than the %d allowed", len(text), MaxSize)
	case text == "":
		return nil, fail(0, "the text is empty")
	case !strings.EqualFold(text[:min(len(text), len(opening))], opening):
		return nil, fail(1, "the text does not begin with %s", opening)
	}
	s, err := ical.Read(text, ical.Options{MaxLines: MaxSize, MaxNesting: MaxDepth})
	f := faults{}
	f.lines(text)
	if errors.Is(err, ical.ErrTooDeep) {
		f.add(s.Last, "components are nested more than %d deep", MaxDepth)
	}
	f.frame(s)
	f.components(s.Top[0].Components)
	for _, p := range s.Properties {
		f.head(p)
	}
	if f.first != nil {
		return nil, f.first
	}
	if s.Open != nil {
		return nil, fail(0, "the text ends before END:%s", s.Open.Name)
	}
	return s.Top[0], nil
}

// wire returns a text with CRLF line ends, the last line included.
func wire(text string) []byte {
	b := make([]byte, 0, len(text)+len(text)/24+2)
	for line := range strings.Lines(text) {
		b = append(b, withoutEnd(line)...)
		b = append(b, "\r\n"...)
	}
	return b
}

// withoutEnd removes the LF of a line and any CRs before it.
func withoutEnd(line string) string {
	if line, ended := strings.CutSuffix(line, "\n"); ended {
		return strings.TrimRight(line, "\r")
	}
	return line
}

// faults keeps the fault that stands first in a text.
type faults struct{ first *Error }

func (f *faults) add(line int, format string, args ...any) {
	if f.first == nil || line < f.first.Line {
		f.first = fail(line, format, args...)
	}
}

// lines looks at the characters.
func (f *faults) lines(text string) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = withoutEnd(line)
		if i := strings.IndexAny(line, "\r\x00"); i >= 0 {
			f.add(number, "the line holds the control character %#02x", line[i])
		}
	}
	for line := range ical.Lines(text) {
		if !utf8.ValidString(line.Text) {
			f.add(line.Number, "the line is not valid UTF-8")
		}
	}
}

// frame looks at what the text is made of: one VCALENDAR, and nothing after it.
func (f *faults) frame(s *ical.Stream) {
	const trailing = "text follows END:VCALENDAR"
	object := s.Top[0]
	if object.Name != "VCALENDAR" {
		f.add(object.Line, "the text does not begin with %s", opening)
	}
	for _, c := range s.Top[1:] {
		f.add(c.Line, trailing)
	}
	for _, p := range s.Stray {
		f.add(p.Line, trailing)
	}
	for _, p := range s.Broken {
		switch {
		case object.End > 0 && p.Line > object.End:
			f.add(p.Line, trailing)
		case len(p.Raw) > MaxHead:
			f.add(p.Line, "the line has more than %d octets before its value", MaxHead)
		default:
			f.add(p.Line, "the line has no property name with a colon or semicolon after it, or no value")
		}
	}
	for _, p := range s.Misnested {
		if object.End > 0 && p.Line > object.End {
			f.add(p.Line, trailing)
		} else {
			f.add(p.Line, "another component ends here than the one that is open")
		}
	}
}

func (f *faults) components(all []*ical.Component) {
	for _, c := range all {
		switch {
		case c.Name == "VCALENDAR":
			f.add(c.Line, "a VCALENDAR begins inside another")
		case !ical.IsName(c.Name):
			f.add(c.Line, "BEGIN is not followed by the name of a component")
		}
		f.components(c.Components)
	}
}

var quoted = regexp.MustCompile(`"[^"]*("|$)`)

// head bounds what stands before the value of a property.
func (f *faults) head(p *ical.Property) {
	bare := quoted.ReplaceAllLiteralString(p.Params, "")
	if strings.Count(bare, ";")+strings.Count(bare, ",") >= MaxParameters {
		f.add(p.Line, "the line has more than %d parameters", MaxParameters)
	}
	if len(p.Name)+1+len(p.Params) > MaxHead {
		f.add(p.Line, "the line has more than %d octets before its value", MaxHead)
	}
}
