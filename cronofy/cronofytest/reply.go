package cronofytest

import (
	"context"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// ReplyProblem says why a mail is no answer to an invitation.
type ReplyProblem string

// The problems of a [ReplyError].
const (
	ReplyUnreadable  ReplyProblem = "unreadable"   // no mail, more than MaxReply bytes, or a calendar that nothing can be made of
	ReplyNoCalendar  ReplyProblem = "no_calendar"  // no part of the mail is a calendar
	ReplyNotReply    ReplyProblem = "not_a_reply"  // METHOD is neither REPLY nor COUNTER
	ReplyOtherUID    ReplyProblem = "other_uid"    // no invite has this UID, or there is none
	ReplyNoAttendee  ReplyProblem = "no_attendee"  // no ATTENDEE tells who answers
	ReplyBadStatus   ReplyProblem = "bad_status"   // a PARTSTAT that is no answer, such as NEEDS-ACTION or DELEGATED
	ReplyBadProposal ReplyProblem = "bad_proposal" // a COUNTER without times that can be read, or whose end is not after its start
	ReplyOutdated    ReplyProblem = "outdated"     // an answer to an earlier SEQUENCE, or one older than the last
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

// Reply reads a mail that a calendar client sent to the organizer (METHOD REPLY or COUNTER, RFC 5546 §3.2.3, §3.2.7; RFC 6047) and records
// the answer in it, as the API does with mail that is forwarded to it. Every error but that of the context is a [*ReplyError], and nothing has
// changed then.
//
// The UID says which invite is meant, ATTENDEE who answers. An ATTENDEE who was not invited, as when an invitation was forwarded, is a reply by
// another: it is kept among the replies and reported by callback, and the status of who was invited stays. ORGANIZER is not looked at, since
// some clients leave it out. A SEQUENCE that is absent is 0 (RFC 5545 §3.8.7.4); an answer to a revision before the last, or with a DTSTAMP
// older than that of the last answer of the same person, is ignored as outdated. A COUNTER without an answer in it is tentative; its times are a
// proposal if they differ from those of the event. Several COMMENTs are one, a line each. RECURRENCE-ID is not looked at.
func (s *Server) Reply(ctx context.Context, message []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m, problem := readMail(message)
	if problem != nil {
		return problem
	}
	if m.method != "REPLY" && m.method != "COUNTER" {
		return &ReplyError{Problem: ReplyNotReply, Reason: "METHOD is neither REPLY nor COUNTER"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, event := s.answered(m.calendar)
	if i == nil {
		return &ReplyError{Problem: ReplyOtherUID, Reason: "the UID is that of no invite"}
	}
	if i.cancelled {
		return &ReplyError{Problem: ReplyCancelled, Reason: fmt.Sprintf("smart invite %q is cancelled", i.id)}
	}
	r, problem := s.readReply(i, event, m)
	if problem != nil {
		return problem
	}
	invited := i.recipients[0].Email // of several, nobody can tell whose invitation was forwarded
	return s.settle(i, invited, *r)
}

// answered finds the event that answers an invite, and the invite.
func (s *Server) answered(calendar *ical.Component) (*invite, *ical.Component) {
	for event := range calendar.All("VEVENT") {
		if key, ok := s.uids[value(event, "UID")]; ok {
			return s.invites[key], event
		}
	}
	return nil, nil
}

func (s *Server) readReply(i *invite, event *ical.Component, m *calendarMail) (*recipient, *ReplyError) {
	who, ok := attendee(i, event, m.from)
	if !ok {
		return nil, &ReplyError{Problem: ReplyNoAttendee, Reason: "no ATTENDEE tells who answers"}
	}
	r := &recipient{Email: address(who)}
	switch partstat := strings.ToUpper(paramOf(who, "PARTSTAT")); {
	case partstat == "ACCEPTED":
		r.Status = statusAccepted
	case partstat == "DECLINED":
		r.Status = statusDeclined
	case partstat == "TENTATIVE" || m.method == "COUNTER" && (partstat == "" || partstat == "NEEDS-ACTION"):
		r.Status = statusTentative
	default:
		return nil, &ReplyError{Problem: ReplyBadStatus, Reason: "PARTSTAT is none of ACCEPTED, TENTATIVE and DECLINED"}
	}
	sequence, err := strconv.Atoi(value(event, "SEQUENCE"))
	if value(event, "SEQUENCE") != "" && err != nil {
		return nil, &ReplyError{Problem: ReplyUnreadable, Reason: "SEQUENCE is no number"}
	}
	if sequence < i.sequence {
		return nil, &ReplyError{Problem: ReplyOutdated, Reason: fmt.Sprintf("it answers SEQUENCE %d, and the last one is %d", sequence, i.sequence)}
	}
	if stamp, err := time.Parse(utcForm, value(event, "DTSTAMP")); err == nil {
		r.replied = stamp
	}
	if before := i.lastReply(r.Email); r.replied.Before(before) && !r.replied.IsZero() {
		return nil, &ReplyError{Problem: ReplyOutdated, Reason: "this person has sent a newer answer"}
	}
	var comments []string
	for p := range event.Each("COMMENT") {
		if text := strings.TrimSpace(p.Text()); text != "" {
			comments = append(comments, text)
		}
	}
	r.Comment = strings.Join(comments, "\n")
	if m.method == "COUNTER" {
		start, end, tzid, err := s.zones.span(m.calendar, event, i.event.Start.tzid)
		if err != nil {
			return nil, &ReplyError{Problem: ReplyBadProposal, Reason: "the time that it proposes cannot be read", Err: err}
		}
		if !end.After(start) || start.Year() < 1 || end.Year() > 9999 {
			return nil, &ReplyError{Problem: ReplyBadProposal, Reason: "the end that it proposes is not after the start"}
		}
		if !start.Equal(i.event.Start.instant) || !end.Equal(i.event.End.instant) {
			if tzid == "" {
				tzid = i.event.Start.tzid
			}
			r.Proposal = &Proposal{Start: start.UTC(), End: end.UTC(), TZID: tzid}
		}
	}
	return r, nil
}

// lastReply is the DTSTAMP of the last answer that a person sent by mail.
func (i *invite) lastReply(email string) (stamp time.Time) {
	if at := i.find(email); at >= 0 {
		stamp = i.recipients[at].replied
	}
	if r := i.reply(email); r != nil && r.replied.After(stamp) {
		stamp = r.replied
	}
	return stamp
}

// attendee finds who answers. A REPLY has one ATTENDEE; a COUNTER, and what some clients call a REPLY, has all who were invited: then it is
// the sender, or the only one of them who has an answer.
func attendee(i *invite, event *ical.Component, from string) (*ical.Property, bool) {
	var all, answering []*ical.Property
	for p := range event.Each("ATTENDEE") {
		if _, err := mail.ParseAddress(address(p)); err != nil {
			continue
		}
		all = append(all, p)
		if partstat := strings.ToUpper(paramOf(p, "PARTSTAT")); partstat != "" && partstat != "NEEDS-ACTION" {
			answering = append(answering, p)
		}
	}
	if len(all) == 1 {
		return all[0], true
	}
	for _, p := range all {
		if from != "" && fold(address(p)) == fold(from) {
			return p, true
		}
	}
	if len(answering) == 1 {
		return answering[0], true
	}
	for _, p := range all {
		if !i.multi && i.find(address(p)) >= 0 {
			return p, true
		}
	}
	return nil, false
}
