package cronofytest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// Limits of a mail that is looked into. Mail comes from outside.
const (
	// MaxReply is the largest mail that [Server.Reply] reads, in bytes.
	MaxReply     = 10 << 20
	maxParts     = 100
	maxPartDepth = 10
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
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, &ReplyError{Problem: ReplyUnreadable, Reason: "this is no mail", Err: err}
	}
	out := &calendarMail{id: m.Header.Get("Message-ID")}
	if list, err := m.Header.AddressList("From"); err == nil {
		out.from = list[0].Address
	}
	var w partWalk
	w.walk(textproto.MIMEHeader(m.Header), m.Body, 0)
	if len(w.found) == 0 {
		return nil, &ReplyError{Problem: ReplyNoCalendar, Reason: "no part of the mail is a calendar"}
	}
	for _, wantText := range []bool{true, false} {
		for _, p := range w.found {
			if p.text != wantText {
				continue
			}
			if c := parseCalendar(p.content()); c != nil {
				out.calendar = c
				if out.method = strings.ToUpper(value(c, "METHOD")); out.method == "" {
					out.method = strings.ToUpper(p.params["method"])
				}
				return out, nil
			}
		}
	}
	return nil, &ReplyError{Problem: ReplyUnreadable, Reason: "the calendar in the mail cannot be read, whatever encoding is taken"}
}

// calendarPart is a part that says it is a calendar, undecoded.
type calendarPart struct {
	text     bool // its type is text/calendar
	params   map[string]string
	encoding string
	body     []byte
}

type partWalk struct {
	parts int
	found []calendarPart
}

// walk looks through the parts of a mail. What is broken ends where it breaks: clients show what came before, too.
func (w *partWalk) walk(h textproto.MIMEHeader, body io.Reader, depth int) {
	if w.parts++; w.parts > maxParts || depth > maxPartDepth {
		return
	}
	media, params := contentType(h.Get("Content-Type"))
	if strings.HasPrefix(media, "multipart/") && params["boundary"] != "" {
		r := multipart.NewReader(body, params["boundary"])
		for w.parts <= maxParts {
			p, err := r.NextRawPart()
			if err != nil {
				return
			}
			w.walk(p.Header, p, depth+1)
		}
		return
	}
	_, disposition := contentType(h.Get("Content-Disposition"))
	name := strings.ToLower(disposition["filename"] + params["name"])
	if media != "text/calendar" && media != "application/ics" && !strings.HasSuffix(name, ".ics") {
		return
	}
	raw, err := io.ReadAll(body)
	if err != nil && len(raw) == 0 {
		return
	}
	w.found = append(w.found, calendarPart{
		text: media == "text/calendar", params: params, body: raw, encoding: strings.ToLower(strings.TrimSpace(h.Get("Content-Transfer-Encoding"))),
	})
}

// contentType reads a media type and its parameters; of one that breaks the rules, as a repeated component parameter does
// (RFC 5545 §8.1), what can be told.
func contentType(value string) (media string, params map[string]string) {
	media, params, err := mime.ParseMediaType(value)
	if err == nil {
		return media, params
	}
	head, rest, _ := strings.Cut(value, ";")
	params = map[string]string{}
	for p := range strings.SplitSeq(rest, ";") {
		name, v, _ := strings.Cut(p, "=")
		if name = strings.ToLower(strings.TrimSpace(name)); params[name] == "" {
			params[name] = strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return strings.ToLower(strings.TrimSpace(head)), params
}

// content decodes a part. Some clients and relays say one encoding and use another: where what was said leads to no calendar, what does is taken.
func (p calendarPart) content() []byte {
	for _, encoding := range []string{p.encoding, "", "base64", "quoted-printable"} {
		decoded, err := decodeTransfer(p.body, encoding)
		if err != nil && len(decoded) == 0 {
			continue
		}
		if text := decodeCharset(decoded, p.params["charset"]); looksLikeCalendar(text) {
			return text
		}
	}
	return nil
}

func decodeTransfer(body []byte, encoding string) ([]byte, error) {
	switch encoding {
	case "base64":
		return decodeBase64(body)
	case "quoted-printable":
		return io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
	default:
		return body, nil
	}
}

// decodeBase64 passes over whatever does not belong to the alphabet (RFC 2045 §6.8) and takes what a cut end leaves.
func decodeBase64(body []byte) ([]byte, error) {
	clean := make([]byte, 0, len(body))
	for _, b := range body {
		if b == '+' || b == '/' || b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' {
			clean = append(clean, b)
		}
	}
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, err := base64.RawStdEncoding.Decode(out, clean)
	if n == 0 && err == nil {
		err = errors.New("no base64")
	}
	return out[:n], err
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
