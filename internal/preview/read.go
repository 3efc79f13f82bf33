package preview

import (
	"bytes"
	"errors"
	"mime"
	"strings"

	"github.com/invitemailer/invitemailer/internal/mimetree"
)

const (
	maxDepth = 10        // multiparts within each other
	maxRead  = 1_000_000 // header fields of one part
)

// A message is what could be read of a mail.
type message struct {
	fields []mimetree.Field
	parts  []*part // the message first, then what is in it, from the top
	notes  []string
}

// A part is a MIME entity. Of a leaf there is the content.
type part struct {
	path        string // as in RFC 3501 section 6.4.5, and in the findings
	depth       int
	kind        string // media type, such as "text/plain"
	params      map[string]string
	encoding    string
	disposition string
	name        string // of the file
	encoded     int    // octets as they travel
	content     []byte
	note        string
}

// read reads a mail as far as it can be. An iCalendar text alone is a mail of one part.
func read(raw []byte) *message {
	m := &message{}
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(raw, []byte("\uFEFF")), " \t\r\n")
	if len(trimmed) >= 6 && bytes.EqualFold(trimmed[:6], []byte("BEGIN:")) {
		m.parts = []*part{{path: "1", kind: "text/calendar", encoding: "8bit", encoded: len(raw), content: trimmed}}
		m.notes = append(m.notes, "This is an iCalendar text alone, no mail.")
		return m
	}
	tree := mimetree.Read(string(trimmed), mimetree.Options{MaxParts: maxParts, MaxDepth: maxDepth, MaxFields: maxRead})
	if len(tree.Root.Fields) == 0 || tree.Root.Fields[0].Name == "" {
		m.notes = append(m.notes, "This is no mail: it has no header.")
		m.parts = []*part{{path: "1", kind: "text/plain", encoding: "8bit", encoded: len(raw), content: trimmed}}
		return m
	}
	limited := make(map[*mimetree.Part]bool, len(tree.Limits))
	for _, l := range tree.Limits {
		limited[l.Part] = true
	}
	for _, p := range tree.Parts {
		m.part(p, limited[p])
	}
	for _, f := range tree.Root.Fields {
		if f.Name != "" {
			m.fields = append(m.fields, f)
		}
	}
	return m
}

// value returns the first field of that name.
func (m *message) value(name string) string {
	for _, f := range m.fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// part describes an entity as a page shows it. limited: not all that is in it was read.
func (m *message) part(from *mimetree.Part, limited bool) {
	for _, f := range from.Fields {
		if f.Name == "" {
			m.notes = append(m.notes, "A header has a line that is no field: “"+line(f.Value)+"”.")
			break
		}
	}
	p := &part{depth: from.Depth, path: from.Path(), kind: from.Media.Kind, encoding: from.Encoding, encoded: len(from.Body)}
	m.parts = append(m.parts, p)
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
	if p.name == "" {
		p.name = decodeWords(p.params["name"])
	}
	if from.IsMultipart() {
		p.multipart(from, limited)
		return
	}
	content := from.Decode()
	p.content = []byte(content.Text)
	if from.Encoding == "base64" || from.Encoding == "quoted-printable" {
		for _, f := range content.Faults {
			if !f.Long {
				p.problem("its encoding is broken; what can be read is shown", errors.New(f.What))
				break
			}
		}
	}
}

// multipart notes what keeps a multipart from being taken apart.
func (p *part) multipart(from *mimetree.Part, limited bool) {
	switch {
	case limited && len(from.Children) > 0:
		p.note = "it has more parts than are shown"
	case from.Boundary == "" || limited:
		p.note = "it cannot be taken apart: it has no boundary, or there are too many multiparts around it"
	case !from.Opened:
		p.note = "its boundary does not occur in it"
	case !from.Closed:
		p.note = "it ends without its last boundary"
	}
	if len(from.Children) == 0 {
		p.content = []byte(from.Body)
	}
}

// problem notes why a part is not read as it stands.
func (p *part) problem(what string, err error) {
	if err != nil {
		p.note = what + ": " + line(err.Error())
	}
}

// text is the content as text.
func (p *part) text() string {
	text, known := unicodeText(p.content, p.params["charset"])
	if !known {
		p.note = "its charset, " + line(p.params["charset"]) + ", is unknown; what is ASCII is shown"
	}
	return text
}

// first returns the first part to be read of a type, or nil.
func (m *message) first(kind string) *part {
	for _, p := range m.parts {
		if p.kind == kind && p.disposition != "attachment" {
			return p
		}
	}
	return nil
}

// calendar returns the part that a calendar client takes: a text/calendar with a method, any other, or the file.
func (m *message) calendar() *part {
	var second, third *part
	for _, p := range m.parts {
		switch {
		case p.kind == "text/calendar" && p.params["method"] != "":
			return p
		case p.kind == "text/calendar" && second == nil:
			second = p
		case p.kind == "application/ics" && third == nil:
			third = p
		}
	}
	if second != nil {
		return second
	}
	return third
}
