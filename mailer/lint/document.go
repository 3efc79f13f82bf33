package lint

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/internal/mimetree"
)

// document is what was read, for the rules to look at. Everything in it is a substring of the text where nothing had to be undone.
type document struct {
	options Options
	text    string
	limits  []limit
	// root is the message; nil for an iCalendar text.
	root  *mimetree.Part
	parts []*mimetree.Part // all of them, in the order they come
	// stored: no line of the message ends in CRLF, as in a file on disk.
	stored bool
	// source is the part that cal was read from; nil in an iCalendar text.
	source *mimetree.Part
	// calendarText is the decoded text, and cal what it says; nil if there is none to be read.
	calendarText string
	cal          *calendar
	// method is METHOD, or where that is missing the method parameter, in upper case: what the sender seems to have meant.
	method string

	to, from  []mailbox // of the headers To and From
	boxes     map[string][]mailbox
	locations locations
	seen      map[string]string // what readers see of the plain text and of the HTML, by type; see shown
}

// limit is a limit that was met or another reason for reading no further.
type limit struct {
	where  place
	what   string
	origin Origin
}

// read makes the document.
func read(data []byte) *document {
	d := &document{boxes: map[string][]mailbox{}, locations: locations{asked: map[string]*time.Location{}}, seen: map[string]string{}}
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
		d.readCalendar(nil)
	case strings.HasPrefix(start, "From "), looksLikeHeader(start):
		d.readMessage()
	case hasPrefixFold(start, "QkVHSU46"): // "BEGIN:"
		d.stop(whole, Calendar, "it is base64 of an iCalendar text; decode it first")
	default:
		d.stop(whole, Composed, "it is neither a message nor an iCalendar text: it begins with %s", quote(start))
	}
	return d
}

const bom = "\uFEFF"

// looksLikeHeader reports whether s begins with a header field: a name and a colon (RFC 5322 section 2.2).
func looksLikeHeader(s string) bool {
	colon := strings.IndexByte(s, ':')
	return colon > 0 && colon <= 100 && mimetree.IsFieldName(strings.TrimRight(s[:colon], " \t"))
}

// readMessage reads the tree and the calendar in it.
func (d *document) readMessage() {
	d.stored = !strings.Contains(d.text, "\r\n")
	m := mimetree.Read(d.text, mimetree.Options{MaxParts: MaxParts, MaxDepth: MaxDepth, MaxFields: MaxFields})
	d.root, d.parts = m.Root, m.Parts
	for _, l := range m.Limits {
		d.stop(place{part: l.Part}, Composed, "%s", l.What)
	}
	d.to = d.mailboxes("To")
	d.from = d.mailboxes("From")
	if d.source = d.findCalendar(); d.source != nil {
		d.calendarText = d.source.Text()
		d.readCalendar(d.source)
		if m, ok := d.source.Media.Get("method"); ok && d.method == "" {
			d.method = strings.ToUpper(m)
		}
	}
}

// findCalendar chooses the part that the rules on the calendar look at.
func (d *document) findCalendar() *mimetree.Part {
	var second, third *mimetree.Part
	for _, p := range d.parts {
		switch {
		case p.IsCalendar() && p.Media.Has("method"):
			return p
		case p.IsCalendar() && second == nil:
			second = p
		case p.IsICS() && third == nil:
			third = p
		}
	}
	if second != nil {
		return second
	}
	return third
}

// at is a line of the calendar.
func (d *document) at(line int) place { return place{part: d.source, line: line} }

// the is the calendar as a whole.
func (d *document) the() place { return place{part: d.source} }

func (d *document) stop(where place, origin Origin, format string, args ...any) {
	d.limits = append(d.limits, limit{where, sprintf(format, args), origin})
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

// foreign reports whether the mail is judged as somebody else's.
func (d *document) foreign() bool { return d.options.Profile == Any }

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func containsFold(s, lower string) bool {
	return indexFold(s, lower) >= 0
}

// indexFold finds lower, which is lower-case ASCII, in s without regard to the case of ASCII letters.
func indexFold(s, lower string) int {
	const fold = 'a' - 'A' // the bit in which the two cases differ; other characters may look alike without it
	first := lower[0] | fold
	for i := range len(s) - len(lower) + 1 {
		if s[i]|fold == first && equalFoldASCII(s[i:i+len(lower)], lower) {
			return i
		}
	}
	return -1
}

func equalFoldASCII(s, lower string) bool {
	for i := range len(lower) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
