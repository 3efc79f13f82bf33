package message

import (
	"bytes"
	"strings"

	"github.com/invitemailer/invitemailer/internal/address"
)

// maxID is the longest Message-ID taken: what ID makes for the longest domain, with room to spare, and far below the limit of a line.
const maxID = 400

// check looks at what the caller gave.
func (m *Message) check() error {
	switch {
	case m.From.Address.IsZero():
		return &Error{Field: "From", Problem: "there is no address; give one"}
	case m.To.Address.IsZero():
		return &Error{Field: "To", Problem: "there is no address; give one"}
	case m.From.Address.NeedsSMTPUTF8():
		return &Error{Field: "From", Problem: "the local part is not ASCII, which most servers refuse; give an address in ASCII"}
	case m.ReplyTo != nil && m.ReplyTo.Address.IsZero():
		return &Error{Field: "ReplyTo", Problem: "there is no address; give one or leave it out"}
	case m.ReplyTo != nil && m.ReplyTo.Address.NeedsSMTPUTF8():
		return &Error{Field: "ReplyTo", Problem: "the local part is not ASCII, which most servers refuse; give an address in ASCII"}
	case address.CleanText(m.Subject) == "":
		return &Error{Field: "Subject", Problem: "it is blank; give one"}
	case strings.TrimSpace(m.Text) == "":
		return &Error{Field: "Text", Problem: "it is blank; clients without calendar or HTML show nothing else, give one"}
	case strings.TrimSpace(m.HTML) == "":
		return &Error{Field: "HTML", Problem: "it is blank; Outlook needs it, give one"}
	case m.Date.IsZero() || m.Date.Year() < 1900 || m.Date.Year() > 9999:
		return &Error{Field: "Date", Problem: "it is not set or out of range; give the time of composing"}
	case !isMessageID(m.MessageID):
		return &Error{Field: "MessageID", Problem: "it is not of the form left@right without angle brackets; use ID"}
	case m.InReplyTo != "" && !isMessageID(m.InReplyTo):
		return &Error{Field: "InReplyTo", Problem: "it is not of the form left@right without angle brackets; give a Message-ID"}
	case m.Method != "REQUEST" && m.Method != "CANCEL":
		return &Error{Field: "Method", Problem: "it is neither REQUEST nor CANCEL, in upper case; give the METHOD of the calendar"}
	}
	for _, id := range m.References {
		if !isMessageID(id) {
			return &Error{Field: "References", Problem: "one is not of the form left@right without angle brackets; give Message-IDs"}
		}
	}
	return m.checkCalendar()
}

// checkCalendar makes sure that the calendar survives the mail unchanged and that its METHOD is the one the mail names; clients refuse
// an invitation in which the two differ (RFC 6047 section 2.4).
func (m *Message) checkCalendar() error {
	const opening = "BEGIN:VCALENDAR"
	bad := func(problem string) error { return &Error{Field: "Calendar", Problem: problem} }
	if len(m.Calendar) < len(opening) || !strings.EqualFold(string(m.Calendar[:len(opening)]), opening) {
		return bad("it does not begin with BEGIN:VCALENDAR; give the iCalendar text itself")
	}
	if !bytes.HasSuffix(m.Calendar, []byte("\r\n")) {
		return bad("its last line has no CRLF; give what calendar.Read returned")
	}
	depth, found := 0, false
	for rest := m.Calendar; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		if bytes.ContainsAny(line, "\r\n") {
			return bad("it has a line end that is not CRLF; give what calendar.Read returned")
		}
		for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') && len(line) < len("METHOD:REQUEST")+64 {
			var more []byte
			more, rest, _ = bytes.Cut(rest[1:], []byte("\r\n"))
			if bytes.ContainsAny(more, "\r\n") {
				return bad("it has a line end that is not CRLF; give what calendar.Read returned")
			}
			line = append(line[:len(line):len(line)], more...)
		}
		name, value, _ := strings.Cut(string(line), ":")
		name, _, _ = strings.Cut(name, ";")
		switch strings.ToUpper(name) {
		case "BEGIN":
			depth++
		case "END":
			depth--
		case "METHOD":
			if depth != 1 {
				continue
			}
			if !strings.EqualFold(strings.TrimSpace(value), m.Method) {
				return &Error{Field: "Method", Problem: "the METHOD within the calendar is another; give that one"}
			}
			found = true
		}
	}
	if !found {
		return bad("it has no METHOD; an invitation needs REQUEST or CANCEL")
	}
	return nil
}

// isMessageID reports whether s is an id of the plain kind: two dot-atoms in ASCII (RFC 5322 section 3.6.4).
func isMessageID(s string) bool {
	left, right, found := strings.Cut(s, "@")
	return found && len(s) <= maxID && isDotAtom(left) && isDotAtom(right)
}

func isDotAtom(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte("()<>[]:;@\\,\"", s[i]) >= 0 {
			return false
		}
	}
	return true
}
