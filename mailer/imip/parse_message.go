package imip

import (
	"strconv"
	"strings"
)

// part is one MIME entity: the message itself, or a part of a multipart.
type part struct {
	parent   *part
	index    int // among its siblings, from 1
	depth    int
	children []*part
	fields   []field
	body     string
	media    media  // Content-Type; text/plain where there is none
	encoding string // Content-Transfer-Encoding in lower case; "7bit" where there is none
	disp     media  // Content-Disposition

	boundary       string
	used           string // the boundary that the message is written with, where it is not the one declared
	opened, closed bool   // the delimiter occurs; the closing one does
	decoded        *decoded
}

// field is a header field.
type field struct {
	name  string // empty for a line that is no field
	raw   string // what follows the colon, folds and all, without the last line end
	value string // unfolded, without the white space around it
	list  *mailboxList
}

// path is the number of the part as clients count (RFC 3501 section 6.4.5): 1.3 is the third part in the first. The message is the empty
// path, or 1 if it is not a multipart.
func (p *part) path() string {
	if p.parent == nil {
		if p.isMultipart() {
			return ""
		}
		return "1"
	}
	if p.parent.parent == nil {
		return strconv.Itoa(p.index)
	}
	return p.parent.path() + "." + strconv.Itoa(p.index)
}

func (p *part) isMultipart() bool { return strings.HasPrefix(p.media.kind, "multipart/") }
func (p *part) isLeaf() bool      { return !p.isMultipart() }
func (p *part) isCalendar() bool  { return p.media.kind == "text/calendar" }
func (p *part) isICS() bool       { return p.media.kind == "application/ics" }

// isBody reports whether p is text to be read: of that type and not a file.
func (p *part) isBody(kind string) bool { return p.media.kind == kind && p.disp.kind != "attachment" }

// within returns the nearest multipart of that type around p, or nil.
func (p *part) within(kind string) *part {
	for q := p.parent; q != nil; q = q.parent {
		if q.media.kind == kind {
			return q
		}
	}
	return nil
}

// has reports whether q is p or inside p.
func (p *part) has(q *part) bool {
	for ; q != nil; q = q.parent {
		if q == p {
			return true
		}
	}
	return false
}

// field returns the first field of that name and how many there are.
func (p *part) field(name string) (first *field, n int) {
	for i := range p.fields {
		if len(p.fields[i].name) == len(name) && strings.EqualFold(p.fields[i].name, name) {
			if n++; first == nil {
				first = &p.fields[i]
			}
		}
	}
	return first, n
}

// tree reads a message in one pass. The boundaries of all multiparts that are open are looked for at once, so that a mistake in one does
// not hide the others, and nothing is read twice however deep the nesting.
type tree struct {
	d    *document
	text string
	pos  int
	open []string // boundaries, the innermost last
	deep bool
	many bool
}

func readTree(d *document) {
	t := &tree{d: d, text: d.text}
	if strings.HasPrefix(t.text, "From ") { // the separator of an mbox file
		t.line()
	}
	d.root = &part{fields: make([]field, 0, 16)}
	t.part(d.root)
}

// delimiter is a delimiter line that was met: of which of the open boundaries, and whether it is the closing one.
type delimiter struct {
	boundary int // -1 at the end of the text
	closing  bool
}

var atEnd = delimiter{boundary: -1}

// line takes the next line, without its line end.
func (t *tree) line() string {
	rest := t.text[t.pos:]
	n := strings.IndexByte(rest, '\n')
	if n < 0 {
		t.pos = len(t.text)
		return strings.TrimSuffix(rest, "\r")
	}
	t.pos += n + 1
	return strings.TrimSuffix(rest[:n], "\r")
}

// match reports whether a line delimits one of the open multiparts. White space after the boundary is padding (RFC 2046 section 5.1.1).
func (t *tree) match(line string) (delimiter, bool) {
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

// skip goes on behind the next delimiter and returns it and the text before it, whose last line end belongs to the delimiter.
func (t *tree) skip() (string, delimiter) {
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
func (t *tree) part(p *part) delimiter {
	t.d.parts = append(t.d.parts, p)
	if d, ended := t.header(p); ended {
		p.describe()
		return d
	}
	p.describe()
	if !p.isMultipart() {
		body, d := t.skip()
		p.body = body
		return d
	}
	if p.depth == MaxDepth && !t.deep {
		t.deep = true
		t.d.stop(place{part: p}, Composed, "parts are nested deeper than %d; what is further in was not read", MaxDepth)
	}
	if p.boundary == "" || p.depth == MaxDepth {
		body, d := t.skip()
		p.body = body
		return d
	}
	return t.multipart(p)
}

func (t *tree) multipart(p *part) delimiter {
	me := len(t.open)
	t.open = append(t.open, p.boundary)
	if p.parent == nil && !strings.Contains(t.text[t.pos:], "--"+p.boundary) {
		if p.used = t.guess(); p.used != "" {
			t.open[me] = p.used
		}
	}
	start := t.pos
	_, d := t.skip()
	for d.boundary == me && !d.closing {
		p.opened = true
		if len(t.text)-t.pos < 100 && strings.Trim(t.text[t.pos:], " \t\r\n") == "" {
			d = atEnd // the closing delimiter without its two hyphens, and no part
			break
		}
		if len(t.d.parts) >= MaxParts {
			if !t.many {
				t.many = true
				t.d.stop(place{part: p}, Composed, "there are more than %d parts; the rest was not read", MaxParts)
			}
			_, d = t.skip()
			continue
		}
		child := &part{parent: p, index: len(p.children) + 1, depth: p.depth + 1, fields: make([]field, 0, 4)}
		p.children = append(p.children, child)
		d = t.part(child)
	}
	p.closed = d.boundary == me
	t.open = t.open[:me]
	p.body = t.text[start:t.pos]
	if p.closed {
		_, d = t.skip() // the epilogue
	}
	return d
}

// guess returns what the first line that looks like a delimiter has for a boundary: to see what else is wrong in a message whose
// boundary is.
func (t *tree) guess() string {
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
func (t *tree) header(p *part) (delimiter, bool) {
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
		if len(p.fields) == MaxFields {
			continue
		}
		if len(p.fields) == MaxFields-1 {
			t.d.stop(place{part: p}, Composed, "there are %d header fields or more; the rest was not read", MaxFields)
		}
		p.fields = append(p.fields, newField(t.text[start:end]))
	}
	return atEnd, t.pos >= len(t.text)
}

func newField(s string) field {
	colon := strings.IndexByte(s, ':')
	if colon <= 0 || !isFieldName(strings.TrimRight(s[:colon], " \t")) {
		return field{raw: s, value: s}
	}
	return field{name: strings.TrimRight(s[:colon], " \t"), raw: s[colon+1:], value: strings.Trim(unfoldHeader(s[colon+1:]), " \t")}
}

// unfoldHeader removes the line ends of folds (RFC 5322 section 2.2.3).
func unfoldHeader(s string) string {
	if strings.IndexByte(s, '\n') < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for line := range strings.SplitSeq(s, "\n") {
		b.WriteString(strings.TrimSuffix(line, "\r"))
	}
	return b.String()
}

// describe reads the fields that say what a part is.
func (p *part) describe() {
	p.media = media{kind: "text/plain"}
	if f, _ := p.field("Content-Type"); f != nil {
		p.media = parseMedia(f.value)
	}
	if f, _ := p.field("Content-Disposition"); f != nil {
		p.disp = parseMedia(f.value)
	}
	p.encoding = "7bit"
	if f, _ := p.field("Content-Transfer-Encoding"); f != nil {
		p.encoding = strings.ToLower(f.value)
	}
	if p.isMultipart() {
		p.boundary, _ = p.media.get("boundary")
	}
}
