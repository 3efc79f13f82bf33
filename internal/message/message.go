// Package message composes the mail that carries an invitation or its cancellation.
//
// The mail has the one shape that calendar clients agree on (the iMIP best practices of CalConnect;
// Google Calendar sends the same):
//
//	multipart/mixed
//	├── multipart/alternative
//	│   ├── text/plain; charset=UTF-8                      quoted-printable
//	│   ├── text/html; charset=UTF-8                       quoted-printable
//	│   └── text/calendar; method=REQUEST; charset=UTF-8   quoted-printable
//	└── application/ics; name="invite.ics"                 base64, attachment
//
// Both calendars decode to the bytes that were given. The calendar in the alternative has no
// disposition, no Content-ID, no name and no component parameter: each of these makes some client
// show a file in place of an invitation.
//
// # Headers
//
// From, To, Subject, Date, Message-ID, MIME-Version, Content-Type and Auto-Submitted are there once
// each; Reply-To, In-Reply-To and References where asked for; no others. Their order is that of the
// library that writes them (go-mail), which is alphabetical; RFC 5322 section 3.6 gives the order
// of these fields no meaning. Controls and bidi controls are taken out of subject and names, the
// subject is cut at [MaxSubject] characters, and a name that contains another person's address is
// left out.
//
// A message is composed once, to bytes, and those bytes are sent and kept: composing again draws
// new boundaries.
package message

import (
	"time"

	"github.com/invitemailer/invitemailer/internal/address"
)

// MaxSubject is the most characters (Unicode code points) a subject has; a longer one is cut and
// ends in an ellipsis.
const MaxSubject = 150

// Mailbox is a display name, which may be empty, and an address (RFC 5322 section 3.4).
type Mailbox struct {
	Name    string
	Address address.Address
}

// Message is what a mail is composed from.
type Message struct {
	// From and To are required. The local part of From and ReplyTo must be ASCII; that of To need
	// not (see Composed.SMTPUTF8).
	From, To Mailbox
	// ReplyTo is where people's answers go; nil for no Reply-To. It is left out if it has the
	// address of From.
	ReplyTo *Mailbox
	// Subject is one line of text; what does not belong into a header is taken out.
	Subject string
	// Text and HTML are the two forms of the body for readers, in UTF-8 with any line ends. Both
	// are required.
	Text, HTML string
	// Calendar is the iCalendar text with CRLF line ends, as calendar.Calendar.Bytes returns it. It
	// is transported unchanged.
	Calendar []byte
	// Method is REQUEST or CANCEL, in upper case, and must be the METHOD within Calendar.
	Method string
	// Date is the Date header, written in the zone it is given in.
	Date time.Time
	// MessageID is the Message-ID without angle brackets; see ID.
	MessageID string
	// InReplyTo and References are Message-IDs without angle brackets, for a mail that follows up
	// on another.
	InReplyTo  string
	References []string
}

// Composed is a finished mail and what its envelope must be.
type Composed struct {
	// Bytes is the whole message: CRLF line ends, no line over 998 octets, ASCII only unless
	// SMTPUTF8 is set.
	Bytes []byte
	// From and To are the addresses for MAIL FROM and RCPT TO, without angle brackets.
	From, To string
	// SMTPUTF8 is set if the local part of To is not ASCII. The message is then one of RFC 6532,
	// and only a server that offers SMTPUTF8 can take it (RFC 6531).
	SMTPUTF8 bool
}

// Error says which field of a Message stands in the way of composing it.
type Error struct {
	// Field is the name of the field in Message, such as "Subject".
	Field string
	// Problem says what is wrong and what to do. It repeats no content.
	Problem string
	// Err is the cause, where there is one.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	text := "composing the mail: " + e.Field + ": " + e.Problem
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
