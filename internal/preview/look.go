package preview

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/internal/zone"
	"github.com/invitemailer/invitemailer/mailer/lint"
)

// A field is a line of a table: a header field, or a detail of a part.
type field struct{ Name, Value string }

// look is one mail as the page shows it.
type look struct {
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

func (p *Writer) look(m Mail) *look {
	v := &look{
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

func (v *look) note(s string) { v.Notes = append(v.Notes, s) }

func (v *look) check(m Mail, o Options) {
	if v.Findings = m.Findings; v.Findings == nil {
		v.Findings = lint.Check(m.Raw, lint.Options{Now: o.Now, Profile: o.Profile})
	}
	for _, f := range v.Findings {
		if f.Level == lint.Error {
			v.Errors++
		} else {
			v.Warnings++
		}
	}
	if len(v.Findings) > maxFindings {
		v.More = len(v.Findings) - maxFindings
		v.Findings = v.Findings[:maxFindings]
	}
	v.Findings = slices.Clone(v.Findings)
	for i := range v.Findings {
		f := &v.Findings[i]
		f.Where, f.What, f.Why, f.Source, f.Fix = line(f.Where), line(f.What), line(f.Why), line(f.Source), line(f.Fix)
	}
}

func (v *look) headers(m *message) {
	for i, f := range m.fields {
		if i == maxFields {
			v.note("It has " + strconv.Itoa(len(m.fields)) + " header fields; the first " + strconv.Itoa(maxFields) + " are shown.")
			break
		}
		value, _ := safetext.Cut(f.Value, maxText)
		v.Fields = append(v.Fields, field{line(f.Name), line(decodeWords(value))})
	}
	get := func(name string) string {
		value, _ := safetext.Cut(m.value(name), maxText)
		return line(decodeWords(value))
	}
	v.Subject, v.From, v.To, v.Date = get("Subject"), get("From"), get("To"), get("Date")
}

func (v *look) bodies(m *message) {
	if p := m.first("text/html"); p != nil {
		var err error
		if v.HTML, err = framed(p.text()); err != nil {
			v.note("Not shown: " + line(err.Error()) + ".")
		}
	}
	if p := m.first("text/plain"); p != nil {
		var more bool
		if v.Text, more = safetext.Cut(safetext.Text(p.text()), maxText); more {
			v.note("The text is longer than what is shown: " + size(len(p.content)) + ".")
		}
	}
}

func (v *look) calendar(m *message, readerTZID string) {
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
			v.note("The reader's zone, " + line(readerTZID) + ", is unknown: the event is shown in its own. Name it as IANA does, such as Europe/Berlin.")
		}
	}
	v.Event = lookAt(c, reader)
}

func (v *look) tree(m *message) {
	for _, p := range m.parts {
		r := row{
			Path: p.path, Kind: line(p.kind), Encoding: line(p.encoding), Encoded: size(p.encoded), Note: line(p.note),
			Indent: strconv.Itoa(p.depth),
		}
		if p.content != nil || !strings.HasPrefix(p.kind, "multipart/") {
			r.Size = size(len(p.content))
		}
		var details []string
		for _, d := range []field{
			{"method", p.params["method"]}, {"charset", p.params["charset"]}, {"disposition", p.disposition}, {"file", p.name},
		} {
			if d.Value != "" {
				details = append(details, d.Name+" "+line(d.Value))
			}
		}
		r.Details = strings.Join(details, ", ")
		v.Parts = append(v.Parts, r)
	}
}
