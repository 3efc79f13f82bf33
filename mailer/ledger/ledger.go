// Package ledger says what is durably known of each invite: what was asked for,
// which calendar came back, what was mailed and how that ended.
//
// It holds the words of the record, not a store. A store is anything that keeps
// the promises written at mailer.Ledger; package sqlite keeps them in one file, and
// package ledgertest proves that a store does.
//
// A store has three tables' worth of facts. An [Entry] is an invite: one event for
// one recipient. Its revisions are the calendars that were received for it, the
// latest of which is still to be mailed or has been. Its RSVPs are what was heard
// of the answer. Everything is written before it is acted upon, so that after a
// crash the next run reads what was about to happen and goes on from there.
package ledger

import (
	"errors"
	"time"
)

// Key names an invite, as the Smart Invites API does: by the caller's id and the
// recipient (https://docs.cronofy.com/developers/api/smart-invites/create-smart-invite/).
// To the API that is unique within an application, and so it is to a ledger, which
// is opened for one.
type Key struct {
	InviteID string // smart_invite_id, as given
	Address  string // the recipient in its key form: lower case, domain as A-labels
}

// Kind is the mail that an invite gives rise to, Method what it asks of the API,
// Stage the part of its way at which it ended, and Code why it did, as a word for
// programs. Package mailer has their values.
type (
	Kind   string
	Method string
	Stage  string
	Code   string
)

// State is how far a revision has come.
type State string

// The states of a revision. Created and Submitting are the two in which a crash
// can leave it; the others are outcomes.
const (
	// Created: the calendar was received and is stored; no mail has begun.
	Created State = "created"
	// Submitting: the bytes are stored and may be on their way. Read after a
	// crash, it means the same as Unknown (RFC 1047).
	Submitting State = "submitting"
	// Sent: the SMTP server took the message.
	Sent State = "sent"
	// Deferred: a temporary failure; nothing left. To be tried again.
	Deferred State = "deferred"
	// Failed: refused, for this run or for good (see Revision.Permanent).
	Failed State = "failed"
	// Unknown: the content may have left and no answer came.
	Unknown State = "unknown"
	// Expired: the event ended before its mail could leave.
	Expired State = "expired"
	// Settled: done without a mail, such as the cancellation of an invite that
	// never left.
	Settled State = "settled"
)

// MayHaveLeft tells whether the recipient has the mail, or may have it.
func (s State) MayHaveLeft() bool {
	return s == Sent || s == Unknown || s == Submitting
}

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

	// Organizer is who the invite was asked for in the name of, and
	// OrganizerDefault that the settings said so rather than the caller.
	OrganizerName, OrganizerEmail string
	OrganizerDefault              bool

	// Asks is the number of the revision whose time this one has, so that an answer
	// to that one, or to any since, is an answer to this one: its own number if it asks
	// anew (see NewRevision.AsksAnew). It is given by the ledger; 0 if that is not known.
	Asks int64
	// Answer is the status of the recipient in the API's answer that brought Calendar,
	// such as pending; empty if it named none.
	Answer string

	State     State
	Permanent bool   // of Failed: repeated only when asked to, or for other content
	Unusable  bool   // the calendar could not be used; do not use it again
	Stage     Stage  // of an outcome other than Sent: where it ended
	Code      Code   // and why
	Detail    string // and as a sentence for people

	MessageID string // without angle brackets; empty before the first submission
	// FromName and FromEmail are the From of the mail; a cancellation that
	// names nobody is sent by the same.
	FromName, FromEmail string
	// Message is the envelope and the bytes, kept while Submitting or Unknown only.
	Message *Message

	Reply    string // the SMTP server's last reply
	Attempts int    // submissions begun
	// Copies counts, while State is Submitting or Unknown, the submissions of
	// Message that may have left, the one under way included; FirstSubmittedAt is
	// when the first of them began. Both bound how often it is repeated.
	Copies           int
	FirstSubmittedAt time.Time
	At               time.Time
	// CreatedAt, SubmittedAt: when the calendar was recorded, and when the
	// latest submission began (zero if none did). At is the time of State.
	CreatedAt, SubmittedAt time.Time
}

// Message is what is handed to an SMTP server, kept for a repeat that a receiver
// can recognise: the same Message-ID and the same bytes.
type Message struct {
	From, To string // RFC 5321 reverse-path and forward-path
	SMTPUTF8 bool
	Bytes    []byte
}

// Entry is what is known of one invite. The zero Entry (Known false) is an
// invite that was never heard of.
type Entry struct {
	Key   Key
	Known bool
	// Forgotten: the invite is past and was removed by request; only a hash of
	// its key is left, so that an old file does not invite anybody anew.
	Forgotten bool
	Grouped   bool   // asked for with `recipients`, not `recipient`
	Recipient string // the address as it is written on the wire

	UID            string // of the series; empty before the first calendar
	FirstMessageID string // of the first mail that left or may have left
	EndsAt         time.Time

	Latest *Revision // nil if there is none
	// LastSent is the latest revision that left or may have left; it is Latest
	// itself in the common case. It sticks: a repeat on purpose that is refused
	// changes Latest.State, and not that the first mail left.
	LastSent *Revision

	// RSVP is the latest that was heard of the recipient's answer and is not stale, nil
	// if nothing was. See Outdated.
	RSVP *RSVP
}

// Claim is the right to work on some invites until it is released or, its owner
// being dead, has run out. Token grows with each claim of a store: a write that
// carries an older one than the invite's is refused with [ErrClaimLost].
type Claim struct {
	Token int64
	Keys  []Key
}

// NewRevision is a revision to be added to its invite, with what it says of the invite.
type NewRevision struct {
	Key       Key
	Recipient string // the address as it is written on the wire
	Grouped   bool
	EndsAt    time.Time // when the event is over; zero if not known
	// AsksAnew: answers to what was mailed before are none to this, since the event
	// has another time or was cancelled. Without it the revision asks what the entry's
	// LastSent does.
	AsksAnew bool
	Revision Revision // State and all that is known; Number and Asks are ignored
}

// Result is how a revision ended, for Ledger.Finish of package mailer.
type Result struct {
	State     State // Sent, Deferred, Failed, Unknown, Expired or Settled
	Permanent bool
	Unusable  bool
	// NotLeft: the submission that ended so certainly did not leave, although an
	// earlier one may have (State is Unknown). It is not one of Revision.Copies.
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
	// ErrClaimLost: the claim ran out and another run may have taken over;
	// nothing was written, and nothing may be done in its name.
	ErrClaimLost = errors.New("the claim on this invite ran out")
	// ErrUnusable: the ledger cannot be used as it is: not a ledger, of a newer
	// version, of another API or application, read-only. To be fixed by a person.
	ErrUnusable = errors.New("the ledger cannot be used")
	// ErrBusy: locked for too long, or no space: to be tried again later.
	ErrBusy = errors.New("the ledger is busy or its disk is full")
)
