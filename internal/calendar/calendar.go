// Package calendar says what a received iCalendar text means for a mail, and hands the text on as
// it came: nothing is written back from what was read.
//
//   - If there are several VEVENTs they must have one UID. The one without RECURRENCE-ID speaks for
//     all; if each has one, the first.
//   - What is absent has the zero value: whether a calendar without UID or METHOD can be mailed is the
//     mailer's decision. What is there and cannot be read (a date, a number, a zone) is an error.
//   - If a property occurs twice where one is allowed, the first is read. Properties that are not
//     read, X-properties among them, are not looked into. Names are read in any case (RFC 5545
//     section 1.3).
//   - A TZID is looked up in the IANA time zone database; then, for names that only the text explains,
//     such as those of Windows, in the VTIMEZONE of that name. The zone of the machine never plays a
//     part.
//
// The text comes from outside. So size, nesting, and the length and number of parameters are
// bounded, and it is read in time and memory proportional to its length.
package calendar

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/address"
)

// Calendar is what an iCalendar object (RFC 5545) with an iTIP method (RFC 5546) says. Text values
// are unescaped and otherwise as they came: clean them before they go into a header or a page.
type Calendar struct {
	Method      string // METHOD in upper case, such as REQUEST or CANCEL
	UID         string // identifies the event
	Sequence    int    // SEQUENCE, 0 if there is none; HasSequence tells the two apart
	HasSequence bool
	DTStamp     time.Time // when this object was made, in UTC; zero if DTSTAMP is absent
	Status      string    // STATUS in upper case, such as CONFIRMED or CANCELLED

	Summary, Description, Location, URL string

	// Start is DTSTART. End is DTEND, or DTSTART and DURATION; with neither it is one day after
	// Start for a date, and Start otherwise (RFC 5545 section 3.6.1). Both are zero if DTSTART is
	// absent, as it may be in a CANCEL.
	Start, End time.Time
	// AllDay is set if DTSTART is a date. Start and End are then midnights in UTC, and End is the
	// day after the last.
	AllDay bool
	// Floating is set if DTSTART has neither zone nor UTC mark (RFC 5545 section 3.3.5). Start and
	// End are then wall-clock times written as UTC.
	Floating bool
	// TZID is the TZID of DTSTART as it stands in the text; empty for UTC, dates and floating
	// times. If it is an IANA name, Start is in that zone; otherwise Start is in a fixed zone of
	// that name.
	TZID string

	Organizer Person   // the zero Person if there is none
	Attendees []Person // in their order

	// RecurrenceRule is the value of RRULE; empty for an event that happens once, or if RDATEs
	// alone repeat it.
	RecurrenceRule string
	// RecurrenceID is the value of RECURRENCE-ID if only instances of a recurring event are in the
	// text; else empty.
	RecurrenceID string

	wire []byte
}

// Person is a calendar user: the value of ORGANIZER or ATTENDEE and its parameters (RFC 5545
// section 3.2).
type Person struct {
	Name string // CN
	// Email is the address of a mailto: value (RFC 6068), percent-decoded; for another kind of
	// value it is the EMAIL parameter (RFC 7986), or empty. It is as it came: whether it is an
	// address is for address.Parse to say.
	Email    string
	PartStat string // PARTSTAT in upper case; empty if absent
	RSVP     bool   // RSVP=TRUE
}

// Error says why a text is not a calendar that can be mailed.
type Error struct {
	Line   int    // in the received text, from 1; 0 if the cause is not in one line
	Reason string // quotes names of the format and of zones, no text of the event
}

// Error implements error.
func (e *Error) Error() string {
	const todo = "; the text must come from its source again, fixed"
	if e.Line > 0 {
		return fmt.Sprintf("calendar line %d: %s%s", e.Line, e.Reason, todo)
	}
	return "calendar: " + e.Reason + todo
}

func fail(line int, format string, args ...any) *Error {
	return &Error{Line: line, Reason: fmt.Sprintf(format, args...)}
}

// Read reads one iCalendar object. Every error is an *[Error]. It does not change with the zone of
// the machine, and reading the same text twice gives the same result.
func Read(text string) (*Calendar, error) {
	object, err := scan(text)
	if err != nil {
		return nil, err
	}
	event, err := speaking(object)
	if err != nil {
		return nil, err
	}
	c := &Calendar{Method: strings.ToUpper(raw(object, "METHOD")), wire: wire(text)}
	if err := c.read(event); err != nil {
		return nil, err
	}
	if err := c.readTimes(event, object); err != nil {
		return nil, err
	}
	return c, nil
}

// Bytes returns the received text with CRLF line ends, the last line included; nothing else is
// touched and nothing is folded anew. One or more CRs before a LF are one line end, whatever came.
// (A CR anywhere else is refused by Read.) The caller must not change the bytes.
func (c *Calendar) Bytes() []byte { return c.wire }

// Sum returns the SHA-256 of Bytes: two texts that differ in their line ends only have the same
// sum.
func (c *Calendar) Sum() [32]byte { return sha256.Sum256(c.wire) }

// HasAttendee reports whether addr is among the attendees, compared as address.Equal compares.
func (c *Calendar) HasAttendee(addr string) bool {
	for _, p := range c.Attendees {
		if address.Equal(p.Email, addr) {
			return true
		}
	}
	return false
}
