// Package mimetree reads a message and the parts within it (RFC 5322, RFC 2045) as they stand. It is
// lenient, keeps what it cannot make sense of, and judges nothing.
package mimetree

import (
	"iter"
	"strconv"
	"strings"
)

// Part is one MIME entity: the message itself, or a part of a multipart.
type Part struct {
	Parent      *Part
	Index       int // among its siblings, from 1
	Depth       int
	Children    []*Part
	Fields      []Field
	Body        string
	Media       Media  // Content-Type; text/plain where there is none
	Encoding    string // Content-Transfer-Encoding in lower case; "7bit" where there is none
	Disposition Media  // Content-Disposition

	Boundary       string
	Used           string // the boundary that the message is written with, if not the one declared
	Opened, Closed bool   // the delimiter occurs; the closing one does
	content        *Content
}

// Field is a header field.
type Field struct {
	Name  string // empty for a line that is no field
	Raw   string // what follows the colon, folds and all, without the last line end
	Value string // unfolded, without the white space around it
}

// Path is the number of the part as clients count (RFC 3501 section 6.4.5): 1.3 is the third part
// in the first. The message is the empty Path, or 1 if it is not a multipart.
func (p *Part) Path() string {
	if p.Parent == nil {
		if p.IsMultipart() {
			return ""
		}
		return "1"
	}
	if p.Parent.Parent == nil {
		return strconv.Itoa(p.Index)
	}
	return p.Parent.Path() + "." + strconv.Itoa(p.Index)
}

// IsMultipart reports whether p has parts, or should have.
func (p *Part) IsMultipart() bool { return strings.HasPrefix(p.Media.Kind, "multipart/") }

// IsCalendar reports whether p says it is an iCalendar text (RFC 5545 section 8.1).
func (p *Part) IsCalendar() bool { return p.Media.Kind == "text/calendar" }

// IsICS reports whether p says it is a calendar file.
func (p *Part) IsICS() bool { return p.Media.Kind == "application/ics" }

// IsBody reports whether p is text to be read: of that type and not a file.
func (p *Part) IsBody(kind string) bool {
	return p.Media.Kind == kind && p.Disposition.Kind != "attachment"
}

// Within returns the nearest multipart of that type around p, or nil.
func (p *Part) Within(kind string) *Part {
	for q := p.Parent; q != nil; q = q.Parent {
		if q.Media.Kind == kind {
			return q
		}
	}
	return nil
}

// Has reports whether q is p or inside p.
func (p *Part) Has(q *Part) bool {
	for ; q != nil; q = q.Parent {
		if q == p {
			return true
		}
	}
	return false
}

// Each yields the fields of that name.
func (p *Part) Each(name string) iter.Seq[*Field] {
	return func(yield func(*Field) bool) {
		for i := range p.Fields {
			if strings.EqualFold(p.Fields[i].Name, name) && !yield(&p.Fields[i]) {
				return
			}
		}
	}
}

// Field returns the first field of that name, nil if there is none, and how many there are.
func (p *Part) Field(name string) (first *Field, n int) {
	for f := range p.Each(name) {
		if n++; first == nil {
			first = f
		}
	}
	return first, n
}

// lineEnds are what goes from a field that is folded (RFC 5322 section 2.2.3).
var lineEnds = strings.NewReplacer("\r\n", "", "\n", "")

func newField(s string) Field {
	name, raw, found := strings.Cut(s, ":")
	if name = strings.TrimRight(name, " \t"); !found || !IsFieldName(name) {
		return Field{Raw: s, Value: s}
	}
	value := raw
	if strings.Contains(raw, "\n") {
		value = strings.TrimSuffix(lineEnds.Replace(raw), "\r")
	}
	return Field{Name: name, Raw: raw, Value: strings.Trim(value, " \t")}
}

// IsFieldName reports whether s can be the name of a header field (RFC 5322 section 2.2).
func IsFieldName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' })
}

// describe reads the fields that say what a part is.
func (p *Part) describe() {
	p.Media, p.Encoding = Media{Kind: "text/plain"}, "7bit"
	if f, _ := p.Field("Content-Type"); f != nil {
		p.Media = parseMedia(f.Value)
	}
	if f, _ := p.Field("Content-Disposition"); f != nil {
		p.Disposition = parseMedia(f.Value)
	}
	if f, _ := p.Field("Content-Transfer-Encoding"); f != nil {
		p.Encoding = strings.ToLower(f.Value)
	}
	if p.IsMultipart() {
		p.Boundary, _ = p.Media.Get("boundary")
	}
}
