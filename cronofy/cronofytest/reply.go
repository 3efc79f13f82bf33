package cronofytest

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/zone"
)

// ErrNotAnswer is in the error of [Server.Reply] for a mail that was not meant as an answer: it
// has no calendar, or one whose METHOD is neither REPLY nor COUNTER.
var ErrNotAnswer = errors.New("this is no answer to an invitation")

// refuseReply says why [Server.Reply] changed nothing, without an address.
func refuseReply(problem, format string, args ...any) error {
	return fmt.Errorf("reply is ignored ("+problem+"): "+format, args...)
}

// Reply reads a mail that a calendar client sent to the organizer (METHOD REPLY or COUNTER, RFC
// 5546 §3.2.3, §3.2.7; RFC 6047) and records the answer in it, as the API does with mail that is
// forwarded to it. If it returns an error, nothing has changed.
//
// The UID says which invite is meant, ATTENDEE who answers. An ATTENDEE who was not invited, as
// when an invitation was forwarded, is kept among the replies and reported by callback, and the
// status of the person invited stays. An answer to a revision before the last, or with a DTSTAMP
// older than that of the last answer of the same person, is ignored as outdated. A COUNTER without
// an answer in it is tentative; its times are a proposal if they differ from those of the event.
// ORGANIZER, which some clients leave out, and RECURRENCE-ID are not looked at.
func (s *Server) Reply(ctx context.Context, message []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m, err := readMail(message)
	if err != nil {
		return err
	}
	if m.method != "REPLY" && m.method != "COUNTER" {
		return refuseReply("not_a_reply", "%w: METHOD is neither REPLY nor COUNTER", ErrNotAnswer)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var i *invite
	var event *ical.Component
	for e := range m.calendar.All("VEVENT") {
		if key, ok := s.uids[trimmed(e, "UID")]; ok {
			i, event = s.invites[key], e
			break
		}
	}
	if i == nil {
		return refuseReply("other_uid", "the UID is that of no invite")
	}
	if i.Cancelled {
		return refuseReply("cancelled", "smart invite %q is cancelled", i.ID)
	}
	p, err := i.readAnswer(event, m)
	if err != nil {
		return err
	}
	stamp, err := checkOrder(i, event, p.Email)
	if err != nil {
		return err
	}
	invited := i.Recipients[0].Email // of several, it is not known whose invitation was forwarded
	return s.settle(i, invited, *p, stamp)
}

// checkOrder returns the DTSTAMP of an answer, unless it is outdated.
func checkOrder(i *invite, event *ical.Component, email string) (stamp time.Time, err error) {
	text := trimmed(event, "SEQUENCE")
	sequence, err := strconv.Atoi(text)
	if text != "" && err != nil {
		return stamp, refuseReply("unreadable", "SEQUENCE is no number")
	}
	if sequence < i.Sequence {
		return stamp, refuseReply("outdated", "it answers SEQUENCE %d, and the last one is %d",
			sequence, i.Sequence)
	}
	stamp, err = time.Parse(utcForm, trimmed(event, "DTSTAMP"))
	if err == nil && stamp.Before(i.mailed[fold(email)]) {
		return stamp, refuseReply("outdated", "this person has sent a newer answer")
	}
	return stamp, nil
}

func (i *invite) readAnswer(event *ical.Component, m *calendarMail) (*Participant, error) {
	who := attendee(event, m.from)
	if who == nil {
		return nil, refuseReply("no_attendee", "no ATTENDEE tells who answers")
	}
	p := &Participant{Email: address(who)}
	switch partstat := strings.ToUpper(propertyParameter(who, "PARTSTAT")); {
	case partstat == "ACCEPTED":
		p.Status = statusAccepted
	case partstat == "DECLINED":
		p.Status = statusDeclined
	case partstat == "TENTATIVE",
		m.method == "COUNTER" && (partstat == "" || partstat == "NEEDS-ACTION"):
		p.Status = statusTentative
	default:
		return nil, refuseReply("bad_status", "PARTSTAT is none of ACCEPTED, TENTATIVE and DECLINED")
	}
	var comments []string
	for c := range event.Each("COMMENT") {
		if text := strings.TrimSpace(c.Text()); text != "" {
			comments = append(comments, text)
		}
	}
	p.Comment = strings.Join(comments, "\n")
	if m.method != "COUNTER" {
		return p, nil
	}
	start, end, tzid, err := span(m.calendar, event, i.TZID)
	if err != nil {
		return nil, refuseReply("bad_proposal", "the time that it proposes cannot be read: %v", err)
	}
	if !end.After(start) || start.Year() < 1 || end.Year() > 9999 {
		return nil, refuseReply("bad_proposal", "the end that it proposes is not after the start")
	}
	if !start.Equal(i.Start) || !end.Equal(i.End) {
		p.Proposal = &Proposal{Start: start.UTC(), End: end.UTC(), TZID: tzid}
	}
	return p, nil
}

// span reads when an event of a received calendar takes place. tzid is the zone of the start if it
// is an IANA zone, else that of the invite, which is also where times without a zone are.
func span(object, event *ical.Component, inviteTZID string) (start, end time.Time, tzid string, err error) {
	c, err := calendar.Times(object, event)
	switch {
	case err != nil:
		return start, end, "", err
	case c.Start.IsZero():
		return start, end, "", errors.New("there is no DTSTART")
	}
	start, end, tzid = c.Start, c.End, inviteTZID
	if _, ok := zone.Load(c.TZID); ok {
		tzid = c.TZID
	}
	if loc, ok := zone.Load(inviteTZID); ok && c.Floating {
		start, end = inZone(start, loc), inZone(end, loc)
	}
	return start, end, tzid, nil
}

// inZone is the instant at which the clocks of a zone show what t shows.
func inZone(t time.Time, loc *time.Location) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, loc)
}

// attendee finds who answers, nil if that is not clear: the only ATTENDEE, or of several, as a
// COUNTER has them, the sender.
func attendee(event *ical.Component, from string) *ical.Property {
	var found *ical.Property
	n := 0
	for p := range event.Each("ATTENDEE") {
		a, err := mail.ParseAddress(address(p))
		if err != nil {
			continue
		}
		if fold(a.Address) == fold(from) {
			return p
		}
		found, n = p, n+1
	}
	if n != 1 {
		return nil
	}
	return found
}
