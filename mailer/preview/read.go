package preview

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"slices"
	"strconv"
	"strings"
)

const maxDepth = 10 // multiparts within each other

// A message is what could be read of a mail.
type message struct {
	fields header
	parts  []*part // the message first, then what is in it, from the top
	notes  []string
}

// A field is one of the header.
type field struct{ Name, Value string }

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
	if bytes.HasPrefix(trimmed, []byte("From ")) { // the separator of an mbox file
		_, trimmed, _ = bytes.Cut(trimmed, []byte("\n"))
	}
	body := m.header(trimmed, &m.fields)
	if len(m.fields) == 0 {
		m.notes = append(m.notes, "This is no mail: it has no header.")
		m.parts = []*part{{path: "1", kind: "text/plain", encoding: "8bit", encoded: len(raw), content: trimmed}}
		return m
	}
	m.part(body, m.fields, nil, 0)
	return m
}

// header reads fields into h and returns the body.
func (m *message) header(raw []byte, h *header) []byte {
	for len(raw) > 0 {
		text, rest, _ := bytes.Cut(raw, []byte("\n"))
		text = bytes.TrimSuffix(text, []byte("\r"))
		if len(text) == 0 {
			return rest
		}
		name, value, ok := bytes.Cut(text, []byte(":"))
		if !ok || bytes.ContainsAny(name, " \t<>\"") || len(name) == 0 {
			if len(*h) > 0 {
				m.notes = append(m.notes, "A header ends at a line that is no field: “"+line(string(text))+"”.")
			}
			return raw
		}
		value = slices.Clone(value) // what follows is not to be written over
		for raw = rest; len(raw) > 0 && (raw[0] == ' ' || raw[0] == '\t'); {
			text, raw, _ = bytes.Cut(raw, []byte("\n"))
			value = append(value, bytes.TrimSuffix(text, []byte("\r"))...)
		}
		*h = append(*h, field{Name: string(name), Value: string(bytes.TrimSpace(value))})
	}
	return nil
}

// header are the fields of an entity, in their order.
type header []field

// get returns the first field of that name.
func (h header) get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// part reads an entity and what is in it. The numbers lead to it from the message.
func (m *message) part(body []byte, h header, numbers []string, depth int) {
	p := &part{depth: depth, path: strings.Join(numbers, "."), kind: "text/plain", encoding: "7bit", encoded: len(body)}
	m.parts = append(m.parts, p)
	if value := h.get("Content-Type"); value != "" {
		kind, params, err := mime.ParseMediaType(value)
		if kind == "" {
			kind, _, _ = strings.Cut(value, ";")
		}
		p.kind, p.params = strings.ToLower(strings.TrimSpace(kind)), params
		p.problem("its Content-Type cannot be read", err)
	}
	if value := h.get("Content-Disposition"); value != "" {
		kind, params, err := mime.ParseMediaType(value)
		p.disposition, p.name = kind, decodeWords(params["filename"])
		p.problem("its Content-Disposition cannot be read", err)
	}
	if p.name == "" {
		p.name = decodeWords(p.params["name"])
	}
	if value := strings.ToLower(strings.TrimSpace(h.get("Content-Transfer-Encoding"))); value != "" {
		p.encoding = value
	}
	if strings.HasPrefix(p.kind, "multipart/") && depth < maxDepth && p.params["boundary"] != "" {
		m.children(p, body, numbers)
		return
	}
	if p.path == "" {
		p.path = "1"
	}
	if strings.HasPrefix(p.kind, "multipart/") {
		p.note = "it cannot be taken apart: it has no boundary, or there are too many multiparts around it"
	}
	p.decode(body)
}

// children reads the parts of a multipart. A part that is broken takes no other with it.
func (m *message) children(p *part, body []byte, numbers []string) {
	bodies, closed := split(body, p.params["boundary"])
	switch {
	case len(bodies) == 0:
		p.note = "its boundary does not occur in it"
	case !closed:
		p.note = "it ends without its last boundary"
	}
	for i, body := range bodies {
		if len(m.parts) >= maxParts {
			p.note = "it has more parts than are shown"
			return
		}
		var header header
		content := m.header(body, &header)
		m.part(content, header, append(numbers[:len(numbers):len(numbers)], strconv.Itoa(i+1)), p.depth+1)
	}
}

// split returns the parts of a multipart's body (RFC 2046 section 5.1.1), and whether there is a last boundary.
func split(body []byte, boundary string) (parts [][]byte, closed bool) {
	delimiter := []byte("--" + boundary)
	start := -1
	for at := 0; at < len(body); {
		next := len(body)
		if n := bytes.IndexByte(body[at:], '\n'); n >= 0 {
			next = at + n + 1
		}
		tail, ok := bytes.CutPrefix(body[at:next], delimiter)
		tail = bytes.TrimRight(tail, " \t\r\n")
		if closed = string(tail) == "--"; ok && (closed || len(tail) == 0) {
			if start >= 0 { // the line end before a boundary belongs to it
				part := bytes.TrimSuffix(body[start:max(start, at-1)], []byte("\r"))
				parts = append(parts, part)
			}
			if start = next; closed {
				return parts, true
			}
			if len(parts) > maxParts {
				return parts, false
			}
		}
		at = next
	}
	if start >= 0 && start < len(body) {
		parts = append(parts, body[start:])
	}
	return parts, false
}

// decode undoes the transfer encoding, as far as it can be.
func (p *part) decode(body []byte) {
	var err error
	switch p.encoding {
	case "quoted-printable":
		p.content, err = io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
	case "base64":
		p.content, err = io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(body)))
	default:
		p.content = body
	}
	p.problem("its encoding is broken; what came before is shown", err)
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
