package preview

import (
	"cmp"
	"errors"
	"io"
	"mime"
	"slices"
	"strings"

	"github.com/invitemailer/invitemailer/internal/mimetree"
	"golang.org/x/net/html/charset"
)

const (
	maxDepth = 10        // multiparts within each other
	maxRead  = 1_000_000 // header fields of one part
)

// A message is what could be read of a mail.
type message struct {
	root  *mimetree.Part
	parts []*part // root first, then what is in it, from the top
	notes []string
}

// A part is a MIME entity as a page shows it. Of a leaf there is the content.
type part struct {
	*mimetree.Part
	params      map[string]string
	disposition string
	name        string // of the file
	content     string
	note        string
}

// read reads a mail as far as it can be. An iCalendar text alone is a mail of one part.
func read(raw []byte) *message {
	text := strings.TrimLeft(strings.TrimPrefix(string(raw), "\uFEFF"), " \t\r\n")
	alone := func(kind, note string) *message {
		root := &mimetree.Part{Media: mimetree.Media{Kind: kind}, Encoding: "8bit", Body: string(raw)}
		return &message{root: root, parts: []*part{{Part: root, content: text}}, notes: []string{note}}
	}
	if len(text) >= 6 && strings.EqualFold(text[:6], "BEGIN:") {
		return alone("text/calendar", "This is an iCalendar text alone, no mail.")
	}
	tree := mimetree.Read(text, mimetree.Options{MaxParts: maxParts, MaxDepth: maxDepth, MaxFields: maxRead})
	if len(tree.Root.Fields) == 0 || tree.Root.Fields[0].Name == "" {
		return alone("text/plain", "This is no mail: it has no header.")
	}
	m := &message{root: tree.Root}
	for _, p := range tree.Parts {
		limited := slices.ContainsFunc(tree.Limits, func(l mimetree.Limit) bool { return l.Part == p })
		m.parts = append(m.parts, newPart(p, limited))
		for _, f := range p.Fields {
			if f.Name == "" {
				m.notes = append(m.notes, "A header has a line that is no field: “"+line(f.Value)+"”.")
				break
			}
		}
	}
	return m
}

// newPart describes an entity. limited: not all that is in it was read.
func newPart(from *mimetree.Part, limited bool) *part {
	p := &part{Part: from}
	if f, _ := from.Field("Content-Type"); f != nil {
		var err error
		_, p.params, err = mime.ParseMediaType(f.Value)
		p.problem("its Content-Type cannot be read", err)
	}
	if f, _ := from.Field("Content-Disposition"); f != nil {
		kind, params, err := mime.ParseMediaType(f.Value)
		p.disposition, p.name = kind, decodeWords(params["filename"])
		p.problem("its Content-Disposition cannot be read", err)
	}
	p.name = cmp.Or(p.name, decodeWords(p.params["name"]))
	if from.IsMultipart() {
		p.multipart(limited)
		return p
	}
	content := from.Decode()
	p.content = content.Text
	broken := slices.IndexFunc(content.Faults, func(f mimetree.Fault) bool { return !f.Long })
	if broken >= 0 && (from.Encoding == "base64" || from.Encoding == "quoted-printable") {
		p.problem("its encoding is broken; what can be read is shown", errors.New(content.Faults[broken].What))
	}
	return p
}

// multipart notes what keeps a multipart from being taken apart.
func (p *part) multipart(limited bool) {
	switch {
	case limited && len(p.Children) > 0:
		p.note = "it has more parts than are shown"
	case p.Boundary == "" || limited:
		p.note = "it cannot be taken apart: it has no boundary, or there are too many multiparts around it"
	case !p.Opened:
		p.note = "its boundary does not occur in it"
	case !p.Closed:
		p.note = "it ends without its last boundary"
	}
	if len(p.Children) == 0 {
		p.content = p.Body
	}
}

// problem notes why a part is not read as it stands.
func (p *part) problem(what string, err error) {
	if err != nil {
		p.note = what + ": " + line(err.Error())
	}
}

// text is the content as text. Of an unknown charset, what is ASCII can be read.
func (p *part) text() string {
	name := p.params["charset"]
	switch strings.ToLower(name) {
	case "", "utf-8", "utf8", "us-ascii":
		return p.content
	}
	r, err := charset.NewReaderLabel(name, strings.NewReader(p.content))
	if err != nil {
		p.note = "its charset, " + line(name) + ", is unknown; what is ASCII is shown"
		return p.content
	}
	text, _ := io.ReadAll(r) // it is in memory
	return string(text)
}

// first returns the first part that fits, or nil.
func (m *message) first(fits func(*part) bool) *part {
	for _, p := range m.parts {
		if fits(p) {
			return p
		}
	}
	return nil
}

// body returns the first part to be read of a type, or nil.
func (m *message) body(kind string) *part {
	return m.first(func(p *part) bool { return p.Media.Kind == kind && p.disposition != "attachment" })
}

// calendar returns the part that a calendar client takes: a text/calendar with a method, any other,
// or the file.
func (m *message) calendar() *part {
	return cmp.Or(
		m.first(func(p *part) bool { return p.IsCalendar() && p.params["method"] != "" }),
		m.first(func(p *part) bool { return p.IsCalendar() }),
		m.first(func(p *part) bool { return p.IsICS() }),
	)
}
