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
	// MaxReply is the largest mail that [Server.Reply] reads, in bytes.
	MaxReply     = 10 << 20
	maxParts     = 100
	maxPartDepth = 10
	maxFields    = 1000
)

// calendarMail is what matters of a mail with a calendar in it.
type calendarMail struct {
	from     string // the address in From; empty if it cannot be read
	id       string // Message-ID
	calendar *ical.Component
	method   string // in upper case: METHOD, or the method parameter where the calendar has none
}

// readMail finds the calendar in a mail: the first part of type text/calendar that can be read, else the first of another that looks like one.
func readMail(raw []byte) (*calendarMail, *ReplyError) {
	if len(raw) > MaxReply {
		return nil, &ReplyError{Problem: ReplyUnreadable, Reason: "the mail is larger than 10 MiB"}
	}
	m := mimetree.Read(string(raw), mimetree.Options{MaxParts: maxParts, MaxDepth: maxPartDepth, MaxFields: maxFields})
	if len(m.Root.Fields) == 0 || m.Root.Fields[0].Name == "" {
		return nil, &ReplyError{Problem: ReplyUnreadable, Reason: "this is no mail"}
	}
	out := &calendarMail{}
	if f, _ := m.Root.Field("Message-ID"); f != nil {
		out.id = f.Value
	}
	if f, _ := m.Root.Field("From"); f != nil {
		if list, err := mail.ParseAddressList(f.Value); err == nil {
			out.from = list[0].Address
		}
	}
	var found []*mimetree.Part
	for _, p := range m.Parts {
		if p.IsLeaf() && (p.IsCalendar() || p.IsICS() || strings.HasSuffix(strings.ToLower(fileName(p)), ".ics")) {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil, &ReplyError{Problem: ReplyNoCalendar, Reason: "no part of the mail is a calendar"}
	}
	for _, wantText := range []bool{true, false} {
		for _, p := range found {
			if p.IsCalendar() != wantText {
				continue
			}
			if c := parseCalendar(content(p)); c != nil {
				out.calendar = c
				if out.method = strings.ToUpper(value(c, "METHOD")); out.method == "" {
					out.method = strings.ToUpper(parameterOf(p, "method"))
				}
				return out, nil
			}
		}
	}
	return nil, &ReplyError{Problem: ReplyUnreadable, Reason: "the calendar in the mail cannot be read, whatever encoding is taken"}
}

// fileName is what a part would be saved as; "" if it names nothing.
func fileName(p *mimetree.Part) string {
	if name, ok := p.Disposition.Get("filename"); ok {
		return name
	}
	return parameterOf(p, "name")
}

// parameterOf is a parameter of the Content-Type; "" if it is absent.
func parameterOf(p *mimetree.Part, name string) string {
	value, _ := p.Media.Get(name)
	return value
}

// content decodes a part. Some clients and relays say one encoding and use another: where what was said leads to no calendar, what does is taken.
func content(p *mimetree.Part) []byte {
	for _, encoding := range []string{p.Encoding, "binary", "base64", "quoted-printable"} {
		if text := decodeCharset([]byte(p.DecodeAs(encoding).Text), parameterOf(p, "charset")); looksLikeCalendar(text) {
			return text
		}
	}
	return nil
}

// decodeCharset makes UTF-8 of a calendar. UTF-8 speaks for itself, so it is taken for what it is whatever was said of it.
func decodeCharset(b []byte, charset string) []byte {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	wide := bytes.IndexByte(b, 0) >= 0 // UTF-16 would be valid UTF-8, too
	if unfolded := unfold(b); !wide && utf8.Valid(unfolded) {
		return unfolded
	}
	if e, err := htmlindex.Get(charset); err == nil && !strings.EqualFold(charset, "utf-8") {
		if decoded, err := e.NewDecoder().Bytes(b); err == nil {
			return unfold(decoded)
		}
	}
	decoded, err := charmap.Windows1252.NewDecoder().Bytes(unfold(b))
	if err != nil {
		return nil
	}
	return decoded
}

func looksLikeCalendar(text []byte) bool {
	const begin = "BEGIN:VCALENDAR"
	text = bytes.TrimLeft(text, " \t\r\n\ufeff")
	return len(text) >= len(begin) && strings.EqualFold(string(text[:len(begin)]), begin)
}
