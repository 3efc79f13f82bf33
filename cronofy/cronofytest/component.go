package cronofytest

import (
	"bytes"
	"strings"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// The limits of a calendar that somebody else wrote.
const (
	maxCalendarLines  = 100_000
	maxComponentDepth = 16
)

// unfold undoes folding (RFC 5545 §3.1), of bytes, since some writers fold within a character, and makes every line end a LF.
func unfold(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	b = bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
	b = bytes.ReplaceAll(b, []byte("\n "), nil)
	return bytes.ReplaceAll(b, []byte("\n\t"), nil)
}

// parseCalendar reads the unfolded text; nil if it has no VCALENDAR. The calendars of mail clients break rules and must still be read: what
// is beyond a limit, or no content line, is passed over.
func parseCalendar(text []byte) *ical.Component {
	s, _ := ical.Read(strings.TrimPrefix(string(text), "\ufeff"), ical.Options{MaxLines: maxCalendarLines, MaxNesting: maxComponentDepth})
	for c := range s.All("VCALENDAR") {
		return c
	}
	return nil
}

// value is that of the first property of this name, without the spaces around it.
func value(c *ical.Component, name string) string { return strings.TrimSpace(c.Value(name)) }

// paramOf is a parameter of a property without the spaces around it; "" if it is absent.
func paramOf(p *ical.Property, name string) string {
	q, _ := p.Parameter(name)
	return strings.TrimSpace(q.Value)
}

// address is that of a calendar user: of a mailto URI, else the EMAIL parameter (RFC 7986 §6.2), else a bare address, as some clients
// write it.
func address(p *ical.Property) string {
	if email, _ := ical.Mailto(p.Value); email != "" {
		return email
	}
	value := strings.TrimSpace(p.Value)
	if email := paramOf(p, "EMAIL"); email != "" {
		return email
	}
	if strings.Contains(value, "@") && !strings.ContainsAny(value, ": ") {
		return value
	}
	return ""
}
