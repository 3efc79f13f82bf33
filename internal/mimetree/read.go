package mimetree

import (
	"fmt"
	"strings"
)

// Options are the limits of what is read.
type Options struct {
	MaxParts  int // of the message
	MaxDepth  int // multiparts within each other
	MaxFields int // header fields of one part
}

// Message is a message as far as it could be read.
type Message struct {
	Root   *Part
	Parts  []*Part // all of them, in the order they come
	Limits []Limit // those that were met
}

// Limit is a limit of the [Options], the part where it was met, and what was left out for it.
type Limit struct {
	Part *Part
	What string
}

func (t *reader) stop(p *Part, format string, args ...any) {
	t.m.Limits = append(t.m.Limits, Limit{Part: p, What: fmt.Sprintf(format, args...)})
}

// reader reads a message in one pass. The boundaries of all multiparts that are open are looked for
// at once, so that a mistake in one does not hide the others, and nothing is read twice however
// deep the nesting.
type reader struct {
	m    *Message
	o    Options
	text string
	pos  int
	open []string // boundaries, the innermost last
	deep bool
	many bool
}

// Read reads a message in time proportional to its length. It takes what there is:
// a message that breaks off, or whose parts are broken, has what could be read.
func Read(text string, o Options) *Message {
	t := &reader{m: &Message{}, o: o, text: text}
	if strings.HasPrefix(t.text, "From ") { // the separator of an mbox file
		t.line()
	}
	t.m.Root = &Part{}
	t.part(t.m.Root)
	return t.m
}

// delimiter is a delimiter line that was met: of which of the open boundaries, and whether it is
// the closing one.
type delimiter struct {
	boundary int // -1 at the end of the text
	closing  bool
}

var atEnd = delimiter{boundary: -1}

// line takes the next line, without its line end.
func (t *reader) line() string {
	line, _, found := strings.Cut(t.text[t.pos:], "\n")
	if t.pos += len(line); found {
		t.pos++
	}
	return strings.TrimSuffix(line, "\r")
}

// match reports whether a line delimits one of the open multiparts. White space after the boundary
// is padding (RFC 2046 section 5.1.1).
func (t *reader) match(line string) (delimiter, bool) {
	if !strings.HasPrefix(line, "--") {
		return atEnd, false
	}
	line = strings.TrimRight(line[2:], " \t")
	for i := len(t.open) - 1; i >= 0; i-- {
		if rest, ok := strings.CutPrefix(line, t.open[i]); ok && (rest == "" || rest == "--") {
			return delimiter{i, rest == "--"}, true
		}
	}
	return atEnd, false
}

// skip goes on behind the next delimiter and returns it and the text before it, whose last line end
// belongs to the delimiter.
func (t *reader) skip() (string, delimiter) {
	start := t.pos
	for at := t.pos; ; {
		if !strings.HasPrefix(t.text[at:], "--") || at > 0 && t.text[at-1] != '\n' {
			n := strings.Index(t.text[at:], "\n--")
			if n < 0 {
				t.pos = len(t.text)
				return t.text[start:], atEnd
			}
			at += n + 1
		}
		t.pos = at
		if d, ok := t.match(t.line()); ok {
			body := strings.TrimSuffix(t.text[start:max(start, at-1)], "\r")
			return body, d
		}
		at += 2
	}
}

// part reads header and body of p and returns the delimiter that ended it.
func (t *reader) part(p *Part) delimiter {
	t.m.Parts = append(t.m.Parts, p)
	d, ended := t.header(p)
	p.describe()
	if ended {
		return d
	}
	if p.IsMultipart() && p.Depth == t.o.MaxDepth && !t.deep {
		t.deep = true
		t.stop(p, "parts are nested deeper than %d; what is further in was not read", t.o.MaxDepth)
	}
	if p.Boundary == "" || p.Depth == t.o.MaxDepth {
		p.Body, d = t.skip()
		return d
	}
	return t.multipart(p)
}

func (t *reader) multipart(p *Part) delimiter {
	me := len(t.open)
	t.open = append(t.open, p.Boundary)
	if p.Parent == nil && !strings.Contains(t.text[t.pos:], "--"+p.Boundary) {
		if p.Used = t.guess(); p.Used != "" {
			t.open[me] = p.Used
		}
	}
	start := t.pos
	_, d := t.skip()
	for d.boundary == me && !d.closing {
		p.Opened = true
		if len(t.text)-t.pos < 100 && strings.Trim(t.text[t.pos:], " \t\r\n") == "" {
			d = atEnd // the closing delimiter without its two hyphens, and no part
			break
		}
		if len(t.m.Parts) >= t.o.MaxParts {
			if !t.many {
				t.many = true
				t.stop(p, "there are more than %d parts; the rest was not read", t.o.MaxParts)
			}
			_, d = t.skip()
			continue
		}
		child := &Part{Parent: p, Index: len(p.Children) + 1, Depth: p.Depth + 1}
		p.Children = append(p.Children, child)
		d = t.part(child)
	}
	p.Closed = d.boundary == me
	t.open = t.open[:me]
	p.Body = t.text[start:t.pos]
	if p.Closed {
		_, d = t.skip() // the epilogue
	}
	return d
}

// guess returns what the first line that looks like a delimiter has for a boundary: to see what
// else is wrong in a message whose boundary is.
func (t *reader) guess() string {
	rest := t.text[t.pos:]
	if !strings.HasPrefix(rest, "--") {
		_, after, ok := strings.Cut(rest, "\n--")
		if !ok {
			return ""
		}
		rest = "--" + after
	}
	line, _, _ := strings.Cut(rest[2:], "\n")
	if line = strings.TrimRight(line, "\r \t"); len(line) > 70 {
		return ""
	}
	return line
}

// header reads the header of p. It ends at an empty line, or at a delimiter, which ends the part.
func (t *reader) header(p *Part) (delimiter, bool) {
	for t.pos < len(t.text) {
		start := t.pos
		line := t.line()
		if line == "" {
			return atEnd, false
		}
		if d, ok := t.match(line); ok {
			return d, true
		}
		end := start + len(line)
		for t.pos < len(t.text) && (t.text[t.pos] == ' ' || t.text[t.pos] == '\t') {
			next := t.pos
			end = next + len(t.line())
		}
		if len(p.Fields) == t.o.MaxFields {
			continue
		}
		if len(p.Fields) == t.o.MaxFields-1 {
			t.stop(p, "there are %d header fields or more; the rest was not read", t.o.MaxFields)
		}
		p.Fields = append(p.Fields, newField(t.text[start:end]))
	}
	return atEnd, t.pos >= len(t.text)
}
