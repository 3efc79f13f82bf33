package message

import (
	"bytes"
	"slices"
	"strings"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/ical"
)

// maxID is the longest Message-ID taken: what ID makes for the longest domain, with room to spare,
// and far below the limit of a line.
const maxID = 400

const (
	noAddress    = "there is no address; give one"
	notASCII     = "the local part is not ASCII, which most servers refuse; give an address in ASCII"
	notMessageID = "it is not of the form left@right without angle brackets; "
)

// check looks at what the caller gave.
func (m *Message) check() error {
	bad := func(field, problem string) error { return &Error{Field: field, Problem: problem} }
	switch {
	case m.From.Address.IsZero():
		return bad("From", noAddress)
	case m.To.Address.IsZero():
		return bad("To", noAddress)
	case m.From.Address.NeedsSMTPUTF8():
		return bad("From", notASCII)
	case m.ReplyTo != nil && m.ReplyTo.Address.IsZero():
		return bad("ReplyTo", "there is no address; give one or leave it out")
	case m.ReplyTo != nil && m.ReplyTo.Address.NeedsSMTPUTF8():
		return bad("ReplyTo", notASCII)
	case address.CleanText(m.Subject) == "":
		return bad("Subject", "it is blank; give one")
	case strings.TrimSpace(m.Text) == "":
		return bad("Text", "it is blank; clients without calendar or HTML show nothing else, give one")
	case strings.TrimSpace(m.HTML) == "":
		return bad("HTML", "it is blank; Outlook needs it, give one")
	case m.Date.IsZero() || m.Date.Year() < 1900 || m.Date.Year() > 9999:
		return bad("Date", "it is not set or out of range; give the time of composing")
	case !isMessageID(m.MessageID):
		return bad("MessageID", notMessageID+"use ID")
	case m.InReplyTo != "" && !isMessageID(m.InReplyTo):
		return bad("InReplyTo", notMessageID+"give a Message-ID")
	case m.Method != "REQUEST" && m.Method != "CANCEL":
		return bad("Method", "it is neither REQUEST nor CANCEL, in upper case; give the METHOD of the calendar")
	}
	if slices.ContainsFunc(m.References, func(id string) bool { return !isMessageID(id) }) {
		return bad("References", "one is not of the form left@right without angle brackets; give Message-IDs")
	}
	return m.checkCalendar()
}

// checkCalendar makes sure that the calendar survives the mail unchanged and that its METHOD is the
// one the mail names; clients refuse an invitation in which the two differ (RFC 6047 section 2.4).
func (m *Message) checkCalendar() error {
	const opening = "BEGIN:VCALENDAR"
	bad := func(problem string) error { return &Error{Field: "Calendar", Problem: problem} }
	switch {
	case len(m.Calendar) < len(opening) || !strings.EqualFold(string(m.Calendar[:len(opening)]), opening):
		return bad("it does not begin with BEGIN:VCALENDAR; give the iCalendar text itself")
	case !bytes.HasSuffix(m.Calendar, []byte("\r\n")):
		return bad("its last line has no CRLF; give what calendar.Read returned")
	case bytes.ContainsAny(bytes.ReplaceAll(m.Calendar, []byte("\r\n"), nil), "\r\n"):
		return bad("it has a line end that is not CRLF; give what calendar.Read returned")
	}
	stream, err := ical.Read(string(m.Calendar), ical.Options{MaxLines: len(m.Calendar), MaxNesting: 100})
	if err != nil {
		return &Error{Field: "Calendar", Problem: "it cannot be read", Err: err}
	}
	found := false
	for _, c := range stream.Top {
		for method := range c.Each("METHOD") {
			if !strings.EqualFold(strings.TrimSpace(method.Value), m.Method) {
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

// isMessageID reports whether s is an id of the plain kind: two dot-atoms in ASCII (RFC 5322
// section 3.6.4).
func isMessageID(s string) bool {
	left, right, found := strings.Cut(s, "@")
	return found && len(s) <= maxID && isDotAtom(left) && isDotAtom(right)
}

func isDotAtom(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool {
			return r <= ' ' || r >= 0x7f || strings.ContainsRune("()<>[]:;@\\,\"", r)
		}) {
			return false
		}
	}
	return true
}
