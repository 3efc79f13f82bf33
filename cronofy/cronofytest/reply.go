package cronofytest

import (
	"context"
	"fmt"
)

// ReplyProblem says why a mail is no answer to an invitation.
type ReplyProblem string

// The problems of a [ReplyError].
const (
	ReplyUnreadable  ReplyProblem = "unreadable"   // no mail, or more than MaxReply bytes, or a calendar that nothing can be made of
	ReplyNoCalendar  ReplyProblem = "no_calendar"  // no part of the mail is a calendar
	ReplyNotReply    ReplyProblem = "not_a_reply"  // METHOD is neither REPLY nor COUNTER
	ReplyOtherUID    ReplyProblem = "other_uid"    // no invite has this UID, or there is none
	ReplyNoAttendee  ReplyProblem = "no_attendee"  // no ATTENDEE, or several and none of them the sender or invited
	ReplyBadStatus   ReplyProblem = "bad_status"   // a PARTSTAT that is no answer, such as NEEDS-ACTION or DELEGATED
	ReplyBadProposal ReplyProblem = "bad_proposal" // a COUNTER without times that can be read, or whose end is not after its start
	ReplyOutdated    ReplyProblem = "outdated"     // an answer to an earlier SEQUENCE, or older than one that came before
	ReplyCancelled   ReplyProblem = "cancelled"    // the invite is cancelled
)

// ReplyError says why [Server.Reply] changed nothing.
type ReplyError struct {
	Problem ReplyProblem
	// Reason says more. It holds no address.
	Reason string
	// Err is the cause, where there is one.
	Err error
}

// Error implements error.
func (e *ReplyError) Error() string {
	text := fmt.Sprintf("reply is ignored (%s): %s", e.Problem, e.Reason)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *ReplyError) Unwrap() error { return e.Err }

// Reply reads a mail that a calendar client sent to the organizer, and records the answer in it.
func (s *Server) Reply(ctx context.Context, mail []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return &ReplyError{Problem: ReplyNoCalendar, Reason: "no part is a calendar"}
}

// Dialect is a way in which mail clients write answers.
type Dialect string

// The dialects of [ReplyMail].
const (
	DialectGoogle  Dialect = "google"  // multipart/mixed: alternative with the calendar as 7bit or quoted-printable, and the same attached
	DialectOutlook Dialect = "outlook" // multipart/alternative: text and a base64 calendar with zones of Windows
	DialectApple   Dialect = "apple"   // multipart/alternative: the calendar without ORGANIZER
)

// Dialects returns every dialect, for tables of tests.
func Dialects() []Dialect { return []Dialect{DialectGoogle, DialectOutlook, DialectApple} }

// ReplyMail writes the mail by which a mail client answers an invitation mail. Of the answer, InviteID is not looked at, and Recipient may be
// empty: then it is the only ATTENDEE.
func ReplyMail(invitation []byte, a Answer, d Dialect) ([]byte, error) {
	_, _, _ = invitation, a, d
	return nil, &ReplyError{Problem: ReplyNoCalendar, Reason: "no part is a calendar"}
}
