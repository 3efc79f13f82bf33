package calendar

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// The limits of a text. A real invitation has some kilobytes, three levels and a dozen parameters in a line.
const (
	MaxSize       = 256 << 10 // octets of the whole text
	MaxHead       = 8 << 10   // octets of one unfolded line before the colon that begins its value
	MaxParameters = 100       // parameters and listed parameter values in one line
	MaxDepth      = 8         // nested components
)

// scanned is what one pass over a text yields.
type scanned struct {
	// wire is the text with CRLF line ends.
	wire []byte
	// text is the VCALENDAR.
	text *component
}

// read lists the properties that interpret looks at. The others never reach the parser.
var read = map[string]bool{
	"METHOD": true, "UID": true, "SEQUENCE": true, "DTSTAMP": true, "STATUS": true, "SUMMARY": true, "DESCRIPTION": true,
	"LOCATION": true, "URL": true, "DTSTART": true, "DTEND": true, "DURATION": true, "ORGANIZER": true, "ATTENDEE": true,
	"RRULE": true, "RECURRENCE-ID": true,
	"TZID": true, "TZOFFSETFROM": true, "TZOFFSETTO": true, "RDATE": true,
}

// opening is what a text begins with: no byte order mark and no blank line comes before it.
const opening = "BEGIN:VCALENDAR"

// scan checks the limits and the frame of a text in one pass, in time and space proportional to its length.
func scan(text string) (*scanned, error) {
	if len(text) > MaxSize {
		return nil, fail(TooLarge, 0, "the text has %d octets, more than the %d allowed", len(text), MaxSize)
	}
	if text == "" {
		return nil, fail(NotCalendar, 0, "the text is empty")
	}
	if len(text) < len(opening) || !strings.EqualFold(text[:len(opening)], opening) {
		return nil, fail(NotCalendar, 1, "the text does not begin with %s", opening)
	}
	s := scanner{out: scanned{wire: make([]byte, 0, len(text)+len(text)/24+2)}, unfolded: make([]byte, 0, len(text))}
	for number := 1; text != ""; number++ {
		line, rest, found := strings.Cut(text, "\n")
		text = rest
		if found {
			line = strings.TrimRight(line, "\r")
		}
		if i := strings.IndexAny(line, "\r\x00"); i >= 0 {
			return nil, fail(ControlCharacter, number, "the line holds the control character %#02x", line[i])
		}
		s.out.wire = append(append(s.out.wire, line...), '\r', '\n')
		if line != "" && (line[0] == ' ' || line[0] == '\t') {
			s.logical = append(s.logical, line[1:]...)
			continue
		}
		if err := s.flush(); err != nil {
			return nil, err
		}
		s.logical = append(s.logical[:0], line...)
		s.number = number
	}
	if err := s.flush(); err != nil {
		return nil, err
	}
	if len(s.open) > 0 {
		return nil, fail(Truncated, 0, "the text ends before END:%s", s.open[len(s.open)-1].name)
	}
	return &s.out, nil
}

type scanner struct {
	out     scanned
	logical []byte       // the unfolded line in hand
	number  int          // the number of its first physical line
	open    []*component // the innermost last

	unfolded []byte // the lines of all components
}

// flush takes the unfolded line in hand.
func (s *scanner) flush() error {
	line := s.logical
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	if !utf8.Valid(line) {
		return fail(NotUTF8, s.number, "the line is not valid UTF-8")
	}
	if s.out.text != nil && len(s.open) == 0 {
		return fail(TrailingText, s.number, "text follows END:VCALENDAR")
	}
	nameEnd, colon, err := s.head(line)
	if err != nil {
		return err
	}
	upper(line[:nameEnd])
	switch string(line[:nameEnd]) {
	case "BEGIN":
		return s.begin(componentName(line[colon+1:]))
	case "END":
		return s.end(componentName(line[colon+1:]))
	}
	if read[string(line[:nameEnd])] {
		top := s.open[len(s.open)-1]
		start := len(s.unfolded)
		s.unfolded = append(s.unfolded, line...)
		top.lines = append(top.lines, s.unfolded[start:])
	}
	return nil
}

func componentName(value []byte) string { return strings.ToUpper(string(bytes.TrimSpace(value))) }

func (s *scanner) begin(name string) error {
	c := &component{name: name}
	switch {
	case s.out.text == nil && name != "VCALENDAR":
		return fail(NotCalendar, s.number, "the text does not begin with %s", opening)
	case s.out.text == nil:
		s.out.text = c
	case name == "VCALENDAR":
		return fail(Malformed, s.number, "a VCALENDAR begins inside another")
	case name == "" || strings.Trim(name, nameCharacters) != "":
		return fail(Malformed, s.number, "BEGIN is not followed by the name of a component")
	case len(s.open) == MaxDepth:
		return fail(TooDeep, s.number, "components are nested more than %d deep", MaxDepth)
	default:
		parent := s.open[len(s.open)-1]
		parent.subs = append(parent.subs, c)
	}
	s.open = append(s.open, c)
	return nil
}

func (s *scanner) end(name string) error {
	top := s.open[len(s.open)-1]
	if name != top.name {
		return fail(Unbalanced, s.number, "END:%s is expected here, something else ends", top.name)
	}
	s.open = s.open[:len(s.open)-1]
	return nil
}

const nameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"

// head finds the end of the name and the colon before the value, upper-cases parameter names, and counts parameters. It follows quotes
// and backslashes as the parser does, so that what is counted here is what the parser will do.
func (s *scanner) head(line []byte) (nameEnd, colon int, err error) {
	for nameEnd < len(line) && isNameCharacter(line[nameEnd]) {
		nameEnd++
	}
	if nameEnd == 0 || nameEnd == len(line) || (line[nameEnd] != ':' && line[nameEnd] != ';') {
		return 0, 0, fail(Malformed, s.number, "the line has no property name with a colon or semicolon after it")
	}
	quoted, inName := false, false
	nameStart, separators := 0, 0
	for i := nameEnd; i < len(line) && i <= MaxHead; i++ {
		switch c := line[i]; {
		case c == '\\' && !inName:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ':':
			return nameEnd, i, nil
		case c == ';' || c == ',':
			if separators++; separators > MaxParameters {
				return 0, 0, fail(TooManyParameters, s.number, "the line has more than %d parameters", MaxParameters)
			}
			if c == ';' {
				inName, nameStart = true, i+1
			}
		case c == '=' && inName:
			upper(line[nameStart:i])
			inName = false
		}
	}
	if len(line) > MaxHead {
		return 0, 0, fail(LineTooLong, s.number, "the line has more than %d octets before its value", MaxHead)
	}
	return 0, 0, fail(Malformed, s.number, "the line has no value")
}

func isNameCharacter(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-'
}

// upper turns ASCII letters into capitals where they stand.
func upper(b []byte) {
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
}
