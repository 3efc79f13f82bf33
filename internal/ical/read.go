package ical

import (
	"errors"
	"strings"
)

// Options bound what [Read] reads, and let its caller look at the lines.
type Options struct {
	// MaxLines bounds the content lines, MaxNesting the components within each
	// other.
	MaxLines, MaxNesting int
	// Line, if set, is called with each line as it is folded, its number and its
	// line end: "\r\n", "\n", or of the last one "\r" or "". More CRs before the line
	// end are part of the line here, and of nothing that is read.
	Line func(line string, number int, end string)
	// Unfolded, if set, is called with each content line and the number of its first
	// line.
	Unfolded func(line string, number int)
}

// Errors of Read: the text is beyond a limit.
var (
	ErrTooManyLines = errors.New("it has too many content lines")
	ErrTooDeep      = errors.New("components are nested too deep")
)

// Read reads a text in time and memory proportional to its length. Whatever the
// error, which is one of the two above, the stream holds what came before.
func Read(text string, o Options) (*Stream, error) {
	r := reader{text: text, o: o, stream: &Stream{}}
	err := r.read()
	if n := len(r.stack); n > 0 {
		r.stream.Open = r.stack[n-1]
	}
	return r.stream, err
}

// reader reads content lines and builds components of them.
type reader struct {
	text   string
	o      Options
	pos    int
	number int // of the last line taken
	stream *Stream
	stack  []*Component
}

func (r *reader) read() error {
	count := 0
	for r.pos < len(r.text) {
		start := r.pos
		raw := r.line()
		p := Property{Raw: raw, Line: r.number}
		logical := raw
		if r.folds() {
			end := 0
			logical, end = r.unfold(raw)
			p.Raw = r.text[start:end]
		}
		if strings.Trim(logical, " \t\r") == "" {
			continue // an empty line, as at the end of a MIME part
		}
		if count++; count > r.o.MaxLines {
			return ErrTooManyLines
		}
		if r.o.Unfolded != nil {
			r.o.Unfolded(logical, p.Line)
		}
		if !p.split(logical) {
			r.stream.Broken = append(r.stream.Broken, p)
			continue
		}
		switch p.Name {
		case "BEGIN":
			if len(r.stack) == r.o.MaxNesting {
				return ErrTooDeep
			}
			r.begin(&p)
		case "END":
			r.end(&p)
		default:
			r.property(p)
		}
	}
	return nil
}

// line takes the next line as it stands.
func (r *reader) line() string {
	line, end := r.text[r.pos:], ""
	if n := strings.IndexByte(line, '\n'); n >= 0 {
		line, end = line[:n], "\n"
	}
	r.pos += len(line) + len(end)
	r.number++
	if before, ok := strings.CutSuffix(line, "\r"); ok {
		line, end = before, "\r"+end
	}
	if r.o.Line != nil {
		r.o.Line(line, r.number, end)
	}
	return strings.TrimRight(line, "\r")
}

// folds reports whether the next line continues the last one.
func (r *reader) folds() bool {
	return r.pos < len(r.text) && (r.text[r.pos] == ' ' || r.text[r.pos] == '\t')
}

// unfold joins the lines of a fold (RFC 5545 section 3.1) and returns where the last
// of them ends.
func (r *reader) unfold(first string) (logical string, end int) {
	var b strings.Builder
	b.Grow(2 * len(first))
	b.WriteString(first)
	for r.folds() {
		start := r.pos
		line := r.line()
		end = start + len(line)
		b.WriteString(line[1:])
	}
	return b.String(), end
}

// split finds name, parameters and value. Quotes protect colons and semicolons.
func (p *Property) split(s string) bool {
	n := strings.IndexAny(s, ":;")
	if n <= 0 || !IsName(s[:n]) {
		return false
	}
	p.Name = strings.ToUpper(s[:n])
	if s[n] == ':' {
		p.Value = s[n+1:]
		return true
	}
	rest := s[n+1:]
	quoted := false
	for i := range len(rest) {
		switch rest[i] {
		case '"':
			quoted = !quoted
		case ':':
			if !quoted {
				p.Params, p.Value = rest[:i], rest[i+1:]
				return true
			}
		}
	}
	// A quote that is never closed: take the first colon all the same.
	var ok bool
	p.Params, p.Value, ok = strings.Cut(rest, ":")
	return ok
}

// IsName reports whether s is a name: letters, digits and hyphens.
func IsName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != ""
}

func (r *reader) begin(p *Property) {
	c := &Component{Name: strings.ToUpper(strings.Trim(p.Value, " \t")), Line: p.Line, Properties: make([]Property, 0, 8)}
	if len(r.stack) == 0 {
		r.stream.Top = append(r.stream.Top, c)
	} else {
		parent := r.stack[len(r.stack)-1]
		parent.Components = append(parent.Components, c)
		if parent.First == 0 {
			parent.First = c.Line
		}
	}
	r.stack = append(r.stack, c)
}

func (r *reader) end(p *Property) {
	name := strings.Trim(p.Value, " \t")
	for i := len(r.stack) - 1; i >= 0; i-- {
		if strings.EqualFold(r.stack[i].Name, name) {
			if i != len(r.stack)-1 {
				r.stream.Misnested = append(r.stream.Misnested, *p)
			}
			r.stack[i].End = p.Line
			r.stack = r.stack[:i]
			return
		}
	}
	r.stream.Misnested = append(r.stream.Misnested, *p)
}

func (r *reader) property(p Property) {
	if len(r.stack) == 0 {
		r.stream.Stray = append(r.stream.Stray, p)
		return
	}
	c := r.stack[len(r.stack)-1]
	c.Properties = append(c.Properties, p)
}
