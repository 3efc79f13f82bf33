package ical

import (
	"errors"
	"iter"
	"strings"
)

// Options are the limits of what [Read] reads.
type Options struct {
	MaxLines   int // content lines
	MaxNesting int // components within each other
}

// Errors of Read: the text is beyond a limit.
var (
	ErrTooManyLines = errors.New("it has too many content lines")
	ErrTooDeep      = errors.New("components are nested too deep")
)

// Line is a content line before anything is read of it (section 3.1).
type Line struct {
	Number int    // of the first of its lines, from 1
	Raw    string // the lines as they are folded, without the last line end
	Text   string // unfolded
}

// Lines yields the content lines of a text but for empty ones, as at the end of a MIME part.
func Lines(text string) iter.Seq[Line] {
	return func(yield func(Line) bool) {
		number := 1
		for text != "" {
			end := contentLine(text)
			raw := strings.TrimRight(text[:end], "\r\n")
			line := Line{Number: number, Raw: raw, Text: unfold(raw)}
			if strings.Trim(line.Text, " \t\r") != "" && !yield(line) {
				return
			}
			number += max(1, strings.Count(text[:end], "\n"))
			text = text[end:]
		}
	}
}

// unfold joins the lines of a content line. Any number of CRs may come before a LF.
func unfold(raw string) string {
	first, rest, found := strings.Cut(raw, "\n")
	if !found {
		return raw
	}
	var text strings.Builder
	text.WriteString(strings.TrimRight(first, "\r"))
	for line := range strings.SplitSeq(rest, "\n") {
		text.WriteString(strings.TrimRight(line[1:], "\r")) // without the space or tab of the fold
	}
	return text.String()
}

// contentLine returns where the first content line ends: behind a line end that begins no fold.
func contentLine(text string) (end int) {
	for {
		n := strings.IndexByte(text[end:], '\n')
		if n < 0 {
			return len(text)
		}
		end += n + 1
		if end == len(text) || text[end] != ' ' && text[end] != '\t' {
			return end
		}
	}
}

// Read reads a text in time and memory proportional to its length. Beyond a limit it returns one of
// the two errors and a stream of what came before.
func Read(text string, o Options) (*Stream, error) {
	r := reader{Stream: &Stream{}}
	err := r.read(text, o)
	if n := len(r.open); n > 0 {
		r.Open = r.open[n-1]
	}
	return r.Stream, err
}

// reader builds components of content lines.
type reader struct {
	*Stream
	open []*Component // the innermost last
}

func (r *reader) read(text string, o Options) error {
	count := 0
	for line := range Lines(text) {
		r.Last = line.Number + strings.Count(line.Raw, "\n")
		if count++; count > o.MaxLines {
			return ErrTooManyLines
		}
		p := Property{Raw: line.Raw, Line: line.Number}
		switch ok := p.split(line.Text); {
		case !ok:
			r.Broken = append(r.Broken, p)
		case p.Name == "BEGIN" && len(r.open) == o.MaxNesting:
			return ErrTooDeep
		case p.Name == "BEGIN":
			r.begin(p)
		case p.Name == "END":
			r.end(p)
		case len(r.open) == 0:
			r.Stray = append(r.Stray, p)
		default:
			c := r.open[len(r.open)-1]
			c.Properties = append(c.Properties, p)
		}
	}
	return nil
}

func (r *reader) begin(p Property) {
	c := &Component{Name: strings.ToUpper(strings.Trim(p.Value, " \t")), Line: p.Line}
	if n := len(r.open); n == 0 {
		r.Top = append(r.Top, c)
	} else {
		r.open[n-1].Components = append(r.open[n-1].Components, c)
	}
	r.open = append(r.open, c)
}

func (r *reader) end(p Property) {
	name := strings.Trim(p.Value, " \t")
	i := len(r.open) - 1
	for i >= 0 && !strings.EqualFold(r.open[i].Name, name) {
		i--
	}
	if i < 0 || i < len(r.open)-1 {
		r.Misnested = append(r.Misnested, p)
	}
	if i >= 0 {
		r.open[i].End = p.Line
		r.open = r.open[:i]
	}
}

// split finds name, parameters and value. Quotes protect colons and semicolons.
func (p *Property) split(s string) bool {
	n := strings.IndexAny(s, ":;")
	if n < 0 || !IsName(s[:n]) {
		return false
	}
	p.Name = strings.ToUpper(s[:n])
	if s[n] == ':' {
		p.Value = s[n+1:]
		return true
	}
	var ok bool
	if p.Params, p.Value, ok = cut(s[n+1:], ':'); !ok {
		// A quote that is never closed: take the first colon all the same.
		p.Params, p.Value, ok = strings.Cut(s[n+1:], ":")
	}
	return ok
}

// cut is [strings.Cut] at the first separator that double quotes do not protect.
func cut(s string, separator byte) (before, after string, found bool) {
	quoted := false
	for i := range len(s) {
		switch s[i] {
		case '"':
			quoted = !quoted
		case separator:
			if !quoted {
				return s[:i], s[i+1:], true
			}
		}
	}
	return s, "", false
}
