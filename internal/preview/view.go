package preview

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/internal/mimetree"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/internal/zone"
	"github.com/invitemailer/invitemailer/mailer/lint"
)

// A field is a line of a table: a header field, or a detail of a part.
type field struct{ Name, Value string }

// view is one mail as the page shows it.
type view struct {
	Number                  int
	Open                    bool
	File, Href, Size        string
	InviteID, Kind, Outcome string
	Subject, From, To, Date string
	HTML, Text              string // Text is cut; HTML is whole or missing
	Notes                   []string
	Event                   *event
	Calendar                string
	Findings                []lint.Finding
	Errors, Warnings, More  int
	Fields                  []field
	Parts                   []row
}

// row is a line of the part tree.
type row struct {
	Path, Kind, Details, Encoding, Size, Encoded, Note string
	Indent                                             string // em
}

func (p *Writer) view(m Mail) *view {
	v := &view{
		Number: p.added, Open: p.added == 1, Size: size(len(m.Raw)), File: line(m.Name),
		InviteID: line(m.InviteID), Kind: line(m.Kind), Outcome: line(m.Outcome),
	}
	if m.Name != "" {
		v.Href = "./" + url.PathEscape(m.Name)
	}
	if len(m.Raw) > lint.MaxSize {
		v.note("It is larger than " + size(lint.MaxSize) + "; what comes after that is not read.")
		m.Raw = m.Raw[:lint.MaxSize]
	}
	v.check(m, p.options)
	read := read(m.Raw)
	v.Notes = append(v.Notes, read.notes...)
	v.headers(read)
	v.bodies(read)
	v.calendar(read, m.ReaderTZID)
	v.tree(read)
	v.Subject = cmp.Or(v.Subject, "(no subject)")
	if v.Kind == "" && v.Event != nil {
		v.Kind = strings.ToLower(v.Event.Method)
	}
	return v
}

func (v *view) note(s string) { v.Notes = append(v.Notes, s) }

func (v *view) check(m Mail, o Options) {
	if v.Findings = m.Findings; v.Findings == nil {
		v.Findings = lint.Check(m.Raw, lint.Options{Now: o.Now})
	}
	for _, f := range v.Findings {
		if f.Level == lint.Error {
			v.Errors++
		} else {
			v.Warnings++
		}
	}
	v.More = max(0, len(v.Findings)-maxFindings)
	v.Findings = slices.Clone(v.Findings[:len(v.Findings)-v.More])
	for i := range v.Findings {
		f := &v.Findings[i]
		f.Where, f.What, f.Why, f.Source, f.Fix = line(f.Where), line(f.What), line(f.Why), line(f.Source), line(f.Fix)
	}
}

func (v *view) headers(m *message) {
	decoded := func(f mimetree.Field) string {
		value, _ := safetext.Cut(f.Value, maxText)
		return line(decodeWords(value))
	}
	fields := slices.DeleteFunc(slices.Clone(m.root.Fields), func(f mimetree.Field) bool { return f.Name == "" })
	if len(fields) > maxFields {
		v.note(fmt.Sprintf("It has %d header fields; the first %d are shown.", len(fields), maxFields))
	}
	for _, f := range fields[:min(len(fields), maxFields)] {
		v.Fields = append(v.Fields, field{line(f.Name), decoded(f)})
	}
	for name, to := range map[string]*string{"Subject": &v.Subject, "From": &v.From, "To": &v.To, "Date": &v.Date} {
		if f, _ := m.root.Field(name); f != nil {
			*to = decoded(*f)
		}
	}
}

func (v *view) bodies(m *message) {
	if p := m.body("text/html"); p != nil {
		var err error
		if v.HTML, err = framed(p.text()); err != nil {
			v.note("Not shown: " + line(err.Error()) + ".")
		}
	}
	if p := m.body("text/plain"); p != nil {
		var more bool
		if v.Text, more = safetext.Cut(safetext.Text(p.text()), maxText); more {
			v.note("The text is longer than what is shown: " + size(len(p.content)) + ".")
		}
	}
}

func (v *view) calendar(m *message, readerTZID string) {
	p := m.calendar()
	if p == nil {
		v.note("There is no calendar in it: its reader gets no buttons.")
		return
	}
	text := p.text()
	v.Calendar, _ = safetext.Cut(safetext.Text(text), maxText)
	c, err := calendar.Read(text)
	if err != nil {
		v.note("The event cannot be shown: " + line(err.Error()) + ".")
		return
	}
	var reader *time.Location
	if readerTZID != "" {
		var known bool
		if reader, known = zone.Load(readerTZID); !known {
			v.note("The reader's zone, " + line(readerTZID) +
				", is unknown: the event is shown in its own. Name it as IANA does, such as Europe/Berlin.")
		}
	}
	v.Event = lookAt(c, reader)
}

func (v *view) tree(m *message) {
	for _, p := range m.parts {
		r := row{
			Path: p.Path(), Kind: line(p.Media.Kind), Encoding: line(p.Encoding), Encoded: size(len(p.Body)),
			Note: line(p.note), Indent: strconv.Itoa(p.Depth),
		}
		if len(p.Children) == 0 || !p.IsMultipart() {
			r.Size = size(len(p.content))
		}
		var details []string
		for _, d := range []field{
			{"method", p.params["method"]}, {"charset", p.params["charset"]},
			{"disposition", p.disposition}, {"file", p.name},
		} {
			if d.Value != "" {
				details = append(details, d.Name+" "+line(d.Value))
			}
		}
		r.Details = strings.Join(details, ", ")
		v.Parts = append(v.Parts, r)
	}
}
