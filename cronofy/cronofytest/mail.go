package cronofytest

import (
	"bytes"
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"

	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/mimetree"
)

// Limits of a mail that is looked into. Mail comes from outside.
const (
	maxReply          = 10 << 20 // bytes
	maxParts          = 100
	maxPartDepth      = 10
	maxFields         = 1000
	maxCalendarLines  = 100_000
	maxComponentDepth = 16
)

// calendarMail is what matters of a mail with a calendar in it.
type calendarMail struct {
	from     string // the address in From; empty if it cannot be read
	id       string // Message-ID
	calendar *ical.Component
	method   string // in upper case: METHOD, or the method parameter where the calendar has none
}

// readMail finds the calendar in a mail: the first part of type text/calendar that can be read,
// else the first of another that looks like one. An error says why there is none.
func readMail(raw []byte) (*calendarMail, error) {
	if len(raw) > maxReply {
		return nil, refuseReply("unreadable", "the mail is larger than 10 MiB")
	}
	m := mimetree.Read(string(raw),
		mimetree.Options{MaxParts: maxParts, MaxDepth: maxPartDepth, MaxFields: maxFields})
	if len(m.Root.Fields) == 0 || m.Root.Fields[0].Name == "" {
		return nil, refuseReply("unreadable", "this is no mail")
	}
	out := &calendarMail{}
	if f, _ := m.Root.Field("Message-ID"); f != nil {
		out.id = strings.TrimSpace(f.Value)
	}
	if f, _ := m.Root.Field("From"); f != nil {
		if list, err := mail.ParseAddressList(f.Value); err == nil {
			out.from = list[0].Address
		}
	}
	var calendars, files []*mimetree.Part
	for _, p := range m.Parts {
		switch {
		case p.IsMultipart():
		case p.IsCalendar():
			calendars = append(calendars, p)
		case p.IsICS() || strings.HasSuffix(strings.ToLower(fileName(p)), ".ics"):
			files = append(files, p)
		}
	}
	parts := append(calendars, files...)
	if len(parts) == 0 {
		return nil, refuseReply("no_calendar", "%w: no part of the mail is a calendar", ErrNotAnswer)
	}
	for _, p := range parts {
		if out.calendar = readCalendar(p); out.calendar == nil {
			continue
		}
		out.method = strings.ToUpper(trimmed(out.calendar, "METHOD"))
		if out.method == "" {
			out.method = strings.ToUpper(mediaParameter(p, "method"))
		}
		return out, nil
	}
	return nil, refuseReply("unreadable",
		"the calendar in the mail cannot be read, whatever encoding is taken")
}

// fileName is what a part would be saved as; "" if it names nothing.
func fileName(p *mimetree.Part) string {
	if name, ok := p.Disposition.Get("filename"); ok {
		return name
	}
	return mediaParameter(p, "name")
}

// mediaParameter is a parameter of the Content-Type; "" if it is absent.
func mediaParameter(p *mimetree.Part, name string) string {
	value, _ := p.Media.Get(name)
	return value
}

// readCalendar reads the VCALENDAR in a part, nil if there is none. Some clients and relays name
// one transfer encoding and use another: the first that leads to a calendar is taken. What is
// beyond a limit, or no content line, is passed over.
func readCalendar(p *mimetree.Part) *ical.Component {
	const begin = "BEGIN:VCALENDAR"
	limits := ical.Options{MaxLines: maxCalendarLines, MaxNesting: maxComponentDepth}
	for _, encoding := range []string{p.Encoding, "binary", "base64", "quoted-printable"} {
		as := mimetree.Part{Encoding: encoding, Body: p.Body}
		text := decodeCharset([]byte(as.Text()), mediaParameter(p, "charset"))
		text = strings.TrimLeft(text, " \t\r\n\ufeff")
		if len(text) < len(begin) || !strings.EqualFold(text[:len(begin)], begin) {
			continue
		}
		stream, _ := ical.Read(text, limits)
		for c := range stream.All("VCALENDAR") {
			return c
		}
	}
	return nil
}

// decodeCharset makes UTF-8 of a calendar, unfolded. What is UTF-8 is taken for it whatever
// charset the mail names.
func decodeCharset(b []byte, charset string) string {
	isWide := bytes.IndexByte(b, 0) >= 0 // UTF-16 would be valid UTF-8, too
	if unfolded := unfold(b); !isWide && utf8.Valid(unfolded) {
		return string(unfolded)
	}
	if e, err := htmlindex.Get(charset); err == nil && !strings.EqualFold(charset, "utf-8") {
		if decoded, err := e.NewDecoder().Bytes(b); err == nil {
			return string(unfold(decoded))
		}
	}
	decoded, _ := charmap.Windows1252.NewDecoder().Bytes(unfold(b))
	return string(decoded)
}

// unfold undoes folding (RFC 5545 §3.1), of bytes, since some writers fold within a character, and
// makes every line end a LF.
func unfold(b []byte) []byte {
	for _, r := range [][2]string{{"\r\n", "\n"}, {"\r", "\n"}, {"\n ", ""}, {"\n\t", ""}} {
		b = bytes.ReplaceAll(b, []byte(r[0]), []byte(r[1]))
	}
	return b
}

// trimmed is the value of the first property of this name, without the spaces around it.
func trimmed(c *ical.Component, name string) string { return strings.TrimSpace(c.Value(name)) }

// propertyParameter is a parameter of a property; "" if it is absent.
func propertyParameter(p *ical.Property, name string) string {
	q, _ := p.Parameter(name)
	return strings.TrimSpace(q.Value)
}

// address is that of a calendar user: of a mailto URI, else the EMAIL parameter (RFC 7986 §6.2),
// else a bare address, as some clients write it.
func address(p *ical.Property) string {
	if email, _ := ical.Mailto(p.Value); email != "" {
		return email
	}
	if email := propertyParameter(p, "EMAIL"); email != "" {
		return email
	}
	value := strings.TrimSpace(p.Value)
	if strings.Contains(value, "@") && !strings.ContainsAny(value, ": ") {
		return value
	}
	return ""
}
