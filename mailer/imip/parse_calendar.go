package imip

import (
	"strings"
	"unicode/utf8"
)

// calendar is an iCalendar stream as it stands in the text (RFC 5545 section 3.4).
type calendar struct {
	lines lines
	// top holds the components of the outermost level, objects those that are VCALENDARs. The rules look at the first.
	top     []*component
	objects []*component
	// stray are content lines outside of any component, broken those without a name and a colon.
	stray  []property
	broken []property
	// misnested are END lines that end nothing; open is a component that nothing ends.
	misnested []property
	open      *component

	events []*component // the VEVENTs of the first VCALENDAR
	zones  map[string]*component
	method string // METHOD in upper case; "" if there is none that counts
	people *people
}

// component is what stands between BEGIN and END.
type component struct {
	name  string // in upper case
	line  int
	props []property
	subs  []*component
	// first is the line of the first component within, 0 for none.
	first int
}

// property is a content line.
type property struct {
	name   string // in upper case
	params string // as they stand, between name and colon
	value  string // as it stands
	raw    string // the lines as they are folded, without the last line end
	line   int
}

// all yields the properties of that name.
func (c *component) all(name string) func(yield func(*property) bool) {
	return func(yield func(*property) bool) {
		for i := range c.props {
			if c.props[i].name == name && !yield(&c.props[i]) {
				return
			}
		}
	}
}

// get returns the first property of that name and how many there are.
func (c *component) get(name string) (first *property, n int) {
	for i := range c.props {
		if c.props[i].name == name {
			if n++; first == nil {
				first = &c.props[i]
			}
		}
	}
	return first, n
}

// value returns the value of the first property of that name, or "".
func (c *component) value(name string) string {
	if p, _ := c.get(name); p != nil {
		return p.value
	}
	return ""
}

// readCalendar reads d.calendarText into d.cal, unless it is beyond the limits or no calendar at all.
func (d *document) readCalendar(from *part) {
	text := strings.TrimPrefix(d.calendarText, bom)
	skipped := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
	if !hasPrefixFold(text[skipped:], "BEGIN:VCALENDAR") {
		return // IM23 says so
	}
	r := calendarReader{text: text, cal: &calendar{}}
	if limit := r.read(); limit != "" {
		d.stop(place{part: from, line: r.number}, Calendar, "%s; the calendar was not checked", limit)
		return
	}
	if len(r.cal.objects) == 0 {
		d.stop(place{part: from, line: 1}, Calendar, "it begins with %s and not with a VCALENDAR", quote(text[:min(len(text), maxQuote)]))
		return
	}
	r.cal.index()
	d.cal, d.method = r.cal, r.cal.method
}

// calendarReader reads content lines and builds components of them.
type calendarReader struct {
	text   string
	pos    int
	number int // of the last line taken
	cal    *calendar
	stack  []*component
}

// line takes the next line as it stands and looks at its line end.
func (r *calendarReader) line() string {
	rest := r.text[r.pos:]
	r.number++
	n := strings.IndexByte(rest, '\n')
	if n < 0 {
		r.pos = len(r.text)
		r.cal.lines.last(rest, r.number)
		return strings.TrimSuffix(rest, "\r")
	}
	r.pos += n + 1
	line := rest[:n]
	if strings.HasSuffix(line, "\r") {
		line = line[:n-1]
	} else {
		r.cal.lines.bareLF.see(r.number)
	}
	r.cal.lines.look(line, r.number)
	return line
}

// read reads to the end and returns the limit that stopped it, if one did.
func (r *calendarReader) read() (limit string) {
	count := 0
	for r.pos < len(r.text) {
		start := r.pos
		raw := r.line()
		p := property{raw: raw, line: r.number}
		logical := raw
		if r.folds() {
			end := 0
			logical, end = r.unfold(raw)
			p.raw = r.text[start:end]
		}
		if strings.Trim(logical, " \t\r") == "" {
			continue // an empty line, as at the end of a MIME part
		}
		if count++; count > MaxLines {
			return "it has more than 100,000 content lines"
		}
		if !utf8.ValidString(logical) {
			r.cal.lines.badUTF8.see(p.line)
		}
		if !p.split(logical) {
			r.cal.broken = append(r.cal.broken, p)
			continue
		}
		switch p.name {
		case "BEGIN":
			if len(r.stack) == MaxNesting {
				return "components are nested deeper than 16"
			}
			r.begin(&p)
		case "END":
			r.end(&p)
		default:
			r.property(p)
		}
	}
	if len(r.stack) > 0 {
		r.cal.open = r.stack[len(r.stack)-1]
	}
	return ""
}

// folds reports whether the next line continues the last one.
func (r *calendarReader) folds() bool {
	return r.pos < len(r.text) && (r.text[r.pos] == ' ' || r.text[r.pos] == '\t')
}

// unfold joins the lines of a fold (RFC 5545 section 3.1) and returns where the last of them ends.
func (r *calendarReader) unfold(first string) (logical string, end int) {
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
func (p *property) split(s string) bool {
	n := strings.IndexAny(s, ":;")
	if n <= 0 || !isName(s[:n]) {
		return false
	}
	p.name = strings.ToUpper(s[:n])
	if s[n] == ':' {
		p.value = s[n+1:]
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
				p.params, p.value = rest[:i], rest[i+1:]
				return true
			}
		}
	}
	// A quote that is never closed: take the first colon all the same.
	var ok bool
	p.params, p.value, ok = strings.Cut(rest, ":")
	return ok
}

// isName reports whether s is a name: letters, digits and hyphens.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != ""
}

func (r *calendarReader) begin(p *property) {
	c := &component{name: strings.ToUpper(strings.Trim(p.value, " \t")), line: p.line, props: make([]property, 0, 8)}
	if len(r.stack) == 0 {
		r.cal.top = append(r.cal.top, c)
		if c.name == "VCALENDAR" {
			r.cal.objects = append(r.cal.objects, c)
		}
	} else {
		parent := r.stack[len(r.stack)-1]
		parent.subs = append(parent.subs, c)
		if parent.first == 0 {
			parent.first = c.line
		}
	}
	r.stack = append(r.stack, c)
}

func (r *calendarReader) end(p *property) {
	name := strings.Trim(p.value, " \t")
	for i := len(r.stack) - 1; i >= 0; i-- {
		if strings.EqualFold(r.stack[i].name, name) {
			if i != len(r.stack)-1 {
				r.cal.misnested = append(r.cal.misnested, *p)
			}
			r.stack = r.stack[:i]
			return
		}
	}
	r.cal.misnested = append(r.cal.misnested, *p)
}

func (r *calendarReader) property(p property) {
	if len(r.stack) == 0 {
		r.cal.stray = append(r.cal.stray, p)
		return
	}
	c := r.stack[len(r.stack)-1]
	c.props = append(c.props, p)
}

// index picks out what most rules ask for.
func (c *calendar) index() {
	c.zones = map[string]*component{}
	if len(c.objects) == 0 {
		return
	}
	object := c.objects[0]
	if p, n := object.get("METHOD"); n > 0 {
		c.method = strings.ToUpper(strings.Trim(p.value, " \t"))
	}
	for _, sub := range object.subs {
		switch sub.name {
		case "VEVENT":
			c.events = append(c.events, sub)
		case "VTIMEZONE":
			c.zones[sub.value("TZID")] = sub
		}
	}
}

// main is the VEVENT that speaks for all: the one without RECURRENCE-ID, else the first; nil if there is none.
func (c *calendar) main() *component {
	for _, e := range c.events {
		if _, n := e.get("RECURRENCE-ID"); n == 0 {
			return e
		}
	}
	if len(c.events) > 0 {
		return c.events[0]
	}
	return nil
}

// properties yields every property of the calendar with its component.
func (c *calendar) properties(yield func(*component, *property) bool) {
	for _, top := range c.top {
		if !top.properties(yield) {
			return
		}
	}
}

func (c *component) properties(yield func(*component, *property) bool) bool {
	for i := range c.props {
		if !yield(c, &c.props[i]) {
			return false
		}
	}
	for _, sub := range c.subs {
		if !sub.properties(yield) {
			return false
		}
	}
	return true
}
