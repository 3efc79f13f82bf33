package mailer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/internal/zone"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

func (j *job) readAnswer(text string) (*calendar.Calendar, *Error) {
	if strings.TrimSpace(text) == "" {
		return nil, calendarError(codeNoCalendar,
			"the API's answer has no iCalendar text, so there is nothing to mail; look at the invite at Cronofy")
	}
	c, err := calendar.Read(text)
	if err != nil {
		e := calendarError(codeUnreadable, fromAPI+"cannot be read: %v; no mail was sent", err)
		e.Err = err
		return nil, e
	}
	want := "REQUEST"
	if j.Method != Request {
		want = "CANCEL"
	}
	if c.Method != want {
		return c, calendarError(codeWrongMethod, fromAPI+"has METHOD %q where %s was asked for; "+
			"mail clients would not show it, so it was not sent", c.Method, want)
	}
	if c.UID == "" {
		return c, calendarError(codeNoUID,
			fromAPI+"has no UID, without which no client can keep the event; it was not sent")
	}
	return c, nil
}

// checkCalendar says why the calendar must not be mailed to a recipient.
func (j *job) checkCalendar(to *recipient, c *calendar.Calendar) *Error {
	if !c.HasAttendee(to.mailbox.Address.String()) {
		return calendarError(codeWrongRecipient, fromAPI+"does not name the recipient as ATTENDEE; "+
			"clients would show no buttons, so it was not sent")
	}
	if !invited(to.entry) {
		return nil // a new series may begin
	}
	before := to.entry.LastSent
	grew := c.Sequence > before.Sequence
	switch {
	case before.UID != c.UID:
		return calendarError(codeUIDChanged, fromAPI+"has another UID than the invitation that was sent, "+
			"so the recipient would have the event twice; cancel the invite first, or give the event another id")
	case j.Method != Request && !grew:
		to.warn("IM38", "", "the cancellation has SEQUENCE %d, which is not above that of the invitation (%d); "+
			"some clients may ignore it", c.Sequence, before.Sequence)
	case j.Method == Request && (c.Sequence < before.Sequence || !grew && c.DTStamp.Before(before.DTStamp)):
		return calendarError(codeStale, fromAPI+"is older than what was sent (SEQUENCE %d after %d); "+
			"clients would ignore it, so it was not sent", c.Sequence, before.Sequence)
	}
	return nil
}

const fromAPI = "the iCalendar text from the API "

func calendarError(code Code, format string, args ...any) *Error {
	return &Error{Stage: StageCalendar, Code: code, Field: "attachments.icalendar",
		Message: fmt.Sprintf(format, args...)}
}

// asksAnew tells whether the answer to what e says was last mailed is none to c: the event has another
// time, or it was cancelled. A calendar that cannot be read any more may have had any time.
func asksAnew(e *ledger.Entry, c *calendar.Calendar) bool {
	if !invited(*e) {
		return true
	}
	old, err := calendar.Read(string(e.LastSent.Calendar))
	return err != nil || !sameTime(old, c)
}

// sameTime tells whether two calendars have their event at the same time. That of a recurring event
// depends on its zone, too.
func sameTime(a, b *calendar.Calendar) bool {
	return a.Start.Equal(b.Start) && a.End.Equal(b.End) && a.AllDay == b.AllDay && a.Floating == b.Floating &&
		a.RecurrenceRule == b.RecurrenceRule && a.RecurrenceID == b.RecurrenceID &&
		(a.RecurrenceRule == "" || a.TZID == b.TZID)
}

// statusIn is the status of a recipient in the API's answer, empty if it names none.
func statusIn(answer *cronofy.SmartInvite, recipient address.Address) string {
	people := slices.Clip(answer.Recipients)
	if answer.Recipient != nil {
		people = append(people, *answer.Recipient)
	}
	for _, p := range people {
		if address.Equal(p.Email, recipient.String()) {
			return string(p.Status)
		}
	}
	return ""
}

func (j *job) warnOtherID(answered string) {
	if answered == "" || answered == j.ID {
		return
	}
	for _, to := range j.pending() {
		to.warn("other_id", "smart_invite_id", "the API answered about %.80q where %.80q was asked for", answered, j.ID)
	}
}

// warnOtherEvent tells of a calendar with another time or title, which is mailed as it came. Floating
// times are told by the rules of the mail.
func (j *job) warnOtherEvent(to *recipient, c *calendar.Calendar) {
	e := j.Event
	if j.Method != Request || e == nil {
		return
	}
	if asked, has := address.CleanText(e.Summary), address.CleanText(c.Summary); asked != has {
		to.warn("other_title", "event.summary", "the calendar from the API has the title %.80q "+
			"where %.80q was asked for; the mail says what the calendar says", has, asked)
	}
	if c.Floating || c.Start.IsZero() {
		return
	}
	for _, t := range []struct {
		field string
		asked cronofy.EventTime
		has   time.Time
	}{{"event.start", e.Start, c.Start}, {"event.end", e.End, c.End}} {
		if t.asked.DateOnly == c.AllDay && t.asked.Time.Equal(t.has) {
			continue
		}
		has := cronofy.EventTime{Time: t.has, DateOnly: c.AllDay}
		to.warn("other_time", t.field, "the calendar from the API has %s where %s was asked for; "+
			"the mail says what the calendar says",
			written(has, t.has.Location()), written(t.asked, j.zone(t.asked, t.has.Location())))
	}
}

func written(t cronofy.EventTime, zone *time.Location) string {
	if t.DateOnly {
		return t.Time.Format(time.DateOnly)
	}
	return t.Time.In(zone).Format(time.RFC3339)
}

// zone is the zone in which a record gives a time, or otherwise.
func (j *job) zone(t cronofy.EventTime, otherwise *time.Location) *time.Location {
	name := t.TZID
	if name == "" && j.Event != nil {
		name = j.Event.TZID
	}
	if zone, ok := zone.Load(name); ok {
		return zone
	}
	return otherwise
}
