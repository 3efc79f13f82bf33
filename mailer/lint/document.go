package lint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/mimetree"
)

// document is what was read, for the rules to look at.
type document struct {
	options Options
	text    string
	limits  []limit
	// root is the message; nil for an iCalendar text.
	root  *mimetree.Part
	parts []*mimetree.Part // all of them, in the order they come
	// invites are the text/calendar parts with a method, files the application/ics parts.
	invites, files []*mimetree.Part
	// stored: no line of the message ends in CRLF, as in a file on disk.
	stored bool
	// source is the part that cal was read from; nil in an iCalendar text.
	source *mimetree.Part
	// calendarText is the decoded text, and cal what it says; nil if there is none to be read.
	calendarText string
	cal          *calendar
	// method is METHOD, or where that is missing the method parameter, in upper case: what the
	// sender seems to have meant.
	method string

	mailboxes map[string][]mailbox // of the addressFields, as far as they can be read (IM58)
	to, from  []mailbox
	html      map[*mimetree.Part]page
	shown     map[string]string // what a reader sees of the first body of a type, squeezed
}

// limit is a limit that was met or another reason for reading no further.
type limit struct {
	where  place
	what   string
	origin Origin
}

// read makes the document.
func read(data []byte) *document {
	d := &document{mailboxes: map[string][]mailbox{}, html: map[*mimetree.Part]page{},
		shown: map[string]string{}}
	if len(data) > MaxSize {
		d.stop(whole, Composed, "it is larger than 16 MiB, the most that is read; nothing of it was checked")
		return d
	}
	d.text = string(data)
	start := strings.TrimPrefix(d.text, bom)
	start = strings.TrimLeft(start, " \t\r\n")
	switch {
	case start == "":
		d.stop(whole, Composed, "there is nothing in it")
	case hasPrefixFold(start, "BEGIN:"):
		d.calendarText = d.text
		d.readCalendar()
	case strings.HasPrefix(start, "From "), looksLikeHeader(start):
		d.readMessage()
	case hasPrefixFold(start, encodedBegin):
		d.stop(whole, Calendar, "it is base64 of an iCalendar text; decode it first")
	default:
		d.stop(whole, Composed, "it is neither a message nor an iCalendar text: it begins with %s", quote(start))
	}
	return d
}

const (
	bom          = "\uFEFF"
	encodedBegin = "QkVHSU46" // base64 of "BEGIN:"
)

// looksLikeHeader reports whether s begins with a header field: a name and a colon (RFC 5322
// section 2.2).
func looksLikeHeader(s string) bool {
	name, _, found := strings.Cut(s, ":")
	return found && len(name) <= 100 && mimetree.IsFieldName(strings.TrimRight(name, " \t"))
}

// readMessage reads the tree and the calendar in it.
func (d *document) readMessage() {
	d.stored = !strings.Contains(d.text, "\r\n")
	m := mimetree.Read(d.text, mimetree.Options{MaxParts: maxParts, MaxDepth: maxDepth, MaxFields: maxFields})
	d.root, d.parts = m.Root, m.Parts
	for _, l := range m.Limits {
		d.stop(place{part: l.Part}, Composed, "%s", l.What)
	}
	for _, name := range addressFields {
		for f := range d.root.Each(name) {
			boxes, _ := parseMailboxes(f.Value)
			d.mailboxes[name] = append(d.mailboxes[name], boxes...)
		}
	}
	d.to, d.from = d.mailboxes["To"], d.mailboxes["From"]
	for _, p := range d.parts {
		switch {
		case p.IsBody("text/html"):
			d.html[p] = readHTML(p.Text())
		case p.IsCalendar() && p.Media.Has("method"):
			d.invites = append(d.invites, p)
		case p.IsICS():
			d.files = append(d.files, p)
		}
	}
	for _, kind := range []string{"text/plain", "text/html"} {
		d.shown[kind] = squeeze(d.visible(kind))
	}
	if d.source = d.findCalendar(); d.source != nil {
		d.calendarText = d.source.Text()
		d.readCalendar()
		if m, ok := d.source.Media.Get("method"); ok && d.method == "" {
			d.method = strings.ToUpper(m)
		}
	}
}

// findCalendar chooses the part that the rules on the calendar look at; nil if there is none.
func (d *document) findCalendar() *mimetree.Part {
	isCalendar := func(p *mimetree.Part) bool { return p.IsCalendar() }
	if i := slices.IndexFunc(d.parts, isCalendar); i >= 0 && len(d.invites) == 0 {
		return d.parts[i]
	}
	for _, p := range slices.Concat(d.invites, d.files) {
		return p
	}
	return nil
}

// readCalendar reads d.calendarText into d.cal, unless it is beyond the limits or no calendar at
// all.
func (d *document) readCalendar() {
	text := strings.TrimPrefix(d.calendarText, bom)
	if !hasPrefixFold(strings.TrimLeft(text, " \t\r\n"), "BEGIN:VCALENDAR") {
		return // IM23 says so
	}
	stream, err := ical.Read(text, ical.Options{MaxLines: maxLines, MaxNesting: maxNesting})
	if err != nil {
		limit := "it has more than 100,000 content lines"
		if errors.Is(err, ical.ErrTooDeep) {
			limit = "components are nested deeper than 16"
		}
		d.stop(d.at(stream.Last), Calendar, "%s; the calendar was not checked", limit)
		return
	}
	c := newCalendar(text, stream)
	if c == nil {
		d.stop(d.at(1), Calendar, "it begins with %s and not with a VCALENDAR", quote(text[:min(len(text), maxQuote)]))
		return
	}
	d.cal, d.method = c, c.method
}

// at is a line of the calendar, or, for line 0, the calendar as a whole.
func (d *document) at(line int) place { return place{part: d.source, line: line} }

func (d *document) stop(where place, origin Origin, format string, args ...any) {
	d.limits = append(d.limits, limit{where, fmt.Sprintf(format, args...), origin})
}

// field returns the first field of that name of the message, and how many there are.
func (d *document) field(name string) (f *mimetree.Field, n int) {
	if d.root == nil {
		return nil, 0
	}
	return d.root.Field(name)
}

// value returns the value of the first field of that name, or "".
func (d *document) value(name string) string {
	if f, _ := d.field(name); f != nil {
		return f.Value
	}
	return ""
}

// body returns the first part of that type that is there to be read.
func (d *document) body(kind string) *mimetree.Part {
	for _, p := range d.parts {
		if p.IsBody(kind) {
			return p
		}
	}
	return nil
}

// visible returns what a reader sees of a body.
func (d *document) visible(kind string) string {
	p := d.body(kind)
	switch {
	case p == nil:
		return ""
	case kind == "text/html":
		return d.html[p].text
	}
	return p.Text()
}

// encoded reports whether the calendar travels in an encoding that keeps its lines as they are.
func (d *document) encoded() bool {
	return d.source == nil || d.source.Encoding == "base64" || d.source.Encoding == "quoted-printable"
}

// foreign reports whether the mail is judged as another sender's.
func (d *document) foreign() bool { return d.options.Profile == Any }

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// containsFold reports whether s contains lower, which is in lower case, in any case.
func containsFold(s, lower string) bool { return strings.Contains(strings.ToLower(s), lower) }

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
