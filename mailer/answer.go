package mailer

import (
	"fmt"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/templates"
)

// The API's answer is mailed as it came. Where it is about something else than was
// asked for, the receipt says so.

// tellOtherID tells of an answer that names another invite. One that names none is
// no reason to doubt it.
func (w *work) tellOtherID(answered string) {
	if answered == "" || answered == w.ID {
		return
	}
	for _, i := range w.open() {
		w.addFinding(i, "other_id", "smart_invite_id", fmt.Sprintf("the API answered about %.80q where %.80q was asked for", answered, w.ID))
	}
}

// tellOtherEvent tells of a calendar with another time or title. What it says of a
// floating time is told by the rules of the mail.
func (w *work) tellOtherEvent(i int, c *calendar.Calendar) {
	e := w.Event
	if w.Method != Request || e == nil {
		return
	}
	if asked, has := address.CleanText(e.Summary), address.CleanText(c.Summary); asked != has {
		w.addFinding(i, "other_title", "event.summary", fmt.Sprintf("the calendar from the API has the title %.80q where %.80q was asked for; the mail says what the calendar says", has, asked))
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
		w.addFinding(i, "other_time", t.field, fmt.Sprintf("the calendar from the API has %s where %s was asked for; the mail says what the calendar says",
			written(has, t.has.Location()), written(t.asked, w.zone(t.asked, t.has.Location()))))
	}
}

// written is a time as a record has it.
func written(t cronofy.EventTime, zone *time.Location) string {
	if t.DateOnly {
		return t.Time.Format(time.DateOnly)
	}
	return t.Time.In(zone).Format(time.RFC3339)
}

func (w *work) addFinding(i int, rule, field, message string) {
	w.receipts[i].Findings = addOnce(w.receipts[i].Findings, Finding{Rule: rule, Level: LevelWarning, Field: field, Message: message})
}

// zone is the zone in which a record gives a time, or otherwise.
func (w *work) zone(t cronofy.EventTime, otherwise *time.Location) *time.Location {
	name := t.TZID
	if name == "" && w.Event != nil {
		name = w.Event.TZID
	}
	if zone, ok := w.m.zones.Load(name); ok {
		return zone
	}
	return otherwise
}

// facts are what a calendar says of its event. A time in UTC, which the API may
// return although event.tzid was given, is told by the clocks of the record's zone:
// people are where that is.
func (w *work) facts(c *calendar.Calendar) templates.Data {
	f := templates.Data{Summary: c.Summary, Description: c.Description, Location: c.Location,
		Start: c.Start, End: c.End, AllDay: c.AllDay, TZID: c.TZID}
	if w.Event == nil || c.AllDay || c.Floating || c.Start.IsZero() || c.Start.Location() != time.UTC {
		return f
	}
	zone := w.zone(w.Event.Start, time.UTC)
	if zone != time.UTC {
		f.Start, f.End, f.TZID = c.Start.In(zone), c.End.In(zone), zone.String()
	}
	return f
}
