// Package ledger says what is durably known of each invite: what was asked for, which calendar came
// back, what was mailed and how that ended.
//
// It holds the states and rules of the record, not a store. A store is anything that keeps the promises
// written at mailer.Ledger; package sqlite does in one file, and package ledgertest proves it.
//
// An [Entry] is an invite: one event for one recipient. Its revisions are the calendars that were
// received for it, the latest of which is still to be mailed or has been. Its RSVPs are the answers.
// Everything is written before it is acted upon, so that the next run goes on after a crash.
package ledger

import (
	"errors"
	"time"
)

// Key names an invite within an application, as the Smart Invites API does
// (https://docs.cronofy.com/developers/api/smart-invites/create-smart-invite/).
type Key struct {
	InviteID string // smart_invite_id, as given
	Address  string // the recipient in its key form: lower case, domain as A-labels
}

// Kind is the mail that an invite gives rise to; package mailer has the values.
type Kind string

// Method is what an invite asks of the API; package mailer has the values.
type Method string

// Stage is the part of an invite's way at which it ended; package mailer has the values.
type Stage string

// Code says why an invite ended there; package mailer has the values that a caller decides by.
type Code string

// State is how far a revision has come.
type State string

// The states of a revision. Created and Submitting are the two in which a crash can leave it; the
// others are outcomes. Submitting that is read after a crash means the same as Unknown (RFC 1047).
const (
	Created    State = "created"    // the calendar is stored; no mail has begun
	Submitting State = "submitting" // the bytes are stored and may be on their way
	Sent       State = "sent"       // the SMTP server took the message
	Deferred   State = "deferred"   // a temporary failure; nothing left; to be tried again
	Failed     State = "failed"     // refused, for this run or for good (Revision.Permanent)
	Unknown    State = "unknown"    // the content may have left and no answer came
	Expired    State = "expired"    // the event ended before its mail could leave
	Settled    State = "settled"    // done without a mail, as a cancellation of what never left
)

// MayHaveLeft tells whether the recipient has the mail, or may have it.
func (s State) MayHaveLeft() bool { return s == Sent || s == Unknown || s == Submitting }

// Revision is one thing that was asked for an invite, and what became of it.
type Revision struct {
	Number      int64  // counts from 1 within its invite; given by the ledger
	Kind        Kind   // invitation, update, cancellation, withdrawal or none
	Method      Method // request, cancel or remove
	Fingerprint string // of what was asked for, see mailer
	Resend      int    // how often the same revision was mailed again on purpose

	Calendar []byte    // as received, line ends CRLF; empty if none came
	UID      string    // of Calendar
	Sequence int       // of Calendar
	DTStamp  time.Time // of Calendar

	// In whose name the invite was asked for, and whether the settings said so, not the caller.
	OrganizerName, OrganizerEmail string
	OrganizerDefault              bool

	// Asks is the number of the first revision to which an answer is one to this, too: its own if
	// it asks anew (see NewRevision.AsksAnew). It is given by the ledger; 0 if that is not known.
	Asks int64
	// Answer is the status of the recipient in the API's answer that brought Calendar, such as
	// pending; empty if it named none.
	Answer string

	State     State
	Permanent bool   // of Failed: repeated only when asked to, or for other content
	Unusable  bool   // the calendar could not be used; do not use it again
	Stage     Stage  // of an outcome other than Sent: where it ended
	Code      Code   // and why
	Detail    string // and as a sentence for people

	MessageID string // without angle brackets; empty before the first submission
	// The From of the mail; a cancellation that names no organizer is sent by the same.
	FromName, FromEmail string
	Message             *Message // kept while Submitting or Unknown only

	Reply    string // the SMTP server's last reply
	Attempts int    // submissions begun
	// Copies counts, while State is Submitting or Unknown, the submissions of Message that may have
	// left, the one under way included; FirstSubmittedAt is when the first of them began.
	Copies           int
	FirstSubmittedAt time.Time
	At               time.Time // of State
	CreatedAt        time.Time // when the calendar was recorded
	SubmittedAt      time.Time // when the latest submission began; zero if none did
}

// Message is what is handed to an SMTP server, kept to be repeated byte for byte.
type Message struct {
	From, To string // RFC 5321 reverse-path and forward-path
	SMTPUTF8 bool
	Bytes    []byte
}

// Entry is what is known of one invite: nothing if Known is not set.
type Entry struct {
	Key   Key
	Known bool
	// Forgotten: the invite is past and was removed by request; only a hash of its key is left, so
	// that an old file does not invite the recipient anew.
	Forgotten bool
	Grouped   bool   // asked for with `recipients`, not `recipient`
	Recipient string // the address as it is written on the wire

	UID            string // of the series; empty before the first calendar
	FirstMessageID string // of the first mail that left or may have left
	EndsAt         time.Time

	Latest *Revision // nil if there is none
	// LastSent is the latest revision that left or may have left, often Latest itself. A repeat on
	// purpose that is refused changes Latest.State, and not LastSent.
	LastSent *Revision

	RSVP *RSVP // the latest answer that is not stale, nil if there is none; see Outdated
}

// Claim is the right to work on some invites until it is released or, its owner being dead, has run
// out. Token grows with each claim of a store: a write that carries an older one than the invite's is
// refused with [ErrClaimLost].
type Claim struct {
	Token int64
	Keys  []Key
}

// NewRevision is a revision to be added to its invite, and what it says of that.
type NewRevision struct {
	Key       Key
	Recipient string // the address as it is written on the wire
	Grouped   bool
	EndsAt    time.Time // when the event is over; zero if not known
	// AsksAnew: answers to what was mailed before are none to this, since the event has another time
	// or was cancelled. Otherwise it asks what the entry's LastSent does.
	AsksAnew bool
	Revision Revision // State and all that is known; Number and Asks are ignored
}

// Result is how a revision ended, for Ledger.Finish of package mailer.
type Result struct {
	State     State // Sent, Deferred, Failed, Unknown, Expired or Settled
	Permanent bool
	Unusable  bool
	// NotLeft: this submission did not leave, although an earlier one may have (State is Unknown).
	// It is not one of Revision.Copies.
	NotLeft bool
	Stage   Stage
	Code    Code
	Detail  string
	Reply   string
}

// Submission is what is recorded before the first byte leaves.
type Submission struct {
	MessageID           string
	FromName, FromEmail string
	Resend              int
	Kind                Kind
	Message             Message
}

// Errors of a store that a caller decides by.
var (
	// ErrInProgress: another run has one of the invites in hand.
	ErrInProgress = errors.New("another run has this invite in hand")
	// ErrClaimLost: the claim ran out and another run may have taken over; nothing was written.
	ErrClaimLost = errors.New("the claim on this invite ran out")
	// ErrUnusable: not a ledger, of a newer version, of another API or application, read-only: a
	// person has to fix it.
	ErrUnusable = errors.New("the ledger cannot be used")
	// ErrBusy: locked for too long, or no space: to be tried again later.
	ErrBusy = errors.New("the ledger is busy or its disk is full")
)
