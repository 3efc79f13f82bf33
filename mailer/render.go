package mailer

import (
	"cmp"
	"time"

	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/internal/zone"
	"github.com/invitemailer/invitemailer/templates"
)

// render asks the templates for subject, text and HTML of what the calendar says.
func (j *job) render(to *recipient, c *calendar.Calendar, from, addressee, replyTo message.Mailbox) (
	templates.Content, *Error) {
	f := j.facts(c)
	d := templates.Data{
		Lang:    cmp.Or(to.Locale, j.Mail.Locale, j.m.cfg.Locale),
		Summary: f.Summary, Description: f.Description,
		Start: f.Start, End: f.End, AllDay: f.AllDay, TZID: f.TZID,
		Location: f.Location, URL: c.URL,
		Organizer: person(from), Recipient: person(addressee),
		ReplyTo: replyTo.Address.String(),
		Data:    j.Mail.Data,
	}
	if o := j.inviter(); isSet(o) {
		d.Organizer = person(o)
	}
	if to.TZID != "" {
		d.Zone, _ = zone.Load(to.TZID) // it was checked with the rest of the record
	}
	if before := to.entry.LastSent; before != nil && (to.plan.kind == Update || d.Summary == "" || d.Start.IsZero()) {
		if old, err := calendar.Read(string(before.Calendar)); err == nil {
			was := j.facts(old)
			if to.plan.kind == Update {
				d.Changes = templates.Changes(was, f)
			}
			d.Summary = cmp.Or(d.Summary, old.Summary) // a cancellation need not repeat what it cancels
			if d.Start.IsZero() {
				d.Start, d.End, d.AllDay, d.TZID = was.Start, was.End, was.AllDay, was.TZID
			}
		}
	}
	content, err := j.templates.Render(templates.Kind(to.plan.kind), d)
	if err != nil {
		return content, &Error{Stage: StageRender, Code: codeTemplate, Err: err, Message: err.Error()}
	}
	content.Subject = cmp.Or(j.Mail.Subject, content.Subject)
	return content, nil
}

func person(m message.Mailbox) templates.Person {
	return templates.Person{Name: m.Name, Email: m.Address.String()}
}

// inviter is the organizer if it is known: a cancellation may name none, and then the default need
// not be who invited.
func (j *job) inviter() message.Mailbox {
	if j.Method != Request && j.organizerDefault {
		return message.Mailbox{}
	}
	return j.organizer
}

// facts are what a calendar says of its event. A time in UTC, which the API may return although
// event.tzid was given, is told in the record's zone.
func (j *job) facts(c *calendar.Calendar) templates.Data {
	f := templates.Data{Summary: c.Summary, Description: c.Description, Location: c.Location,
		Start: c.Start, End: c.End, AllDay: c.AllDay, TZID: c.TZID}
	if j.Event == nil || c.AllDay || c.Floating || c.Start.IsZero() || c.Start.Location() != time.UTC {
		return f
	}
	if zone := j.zone(j.Event.Start, time.UTC); zone != time.UTC {
		f.Start, f.End, f.TZID = c.Start.In(zone), c.End.In(zone), zone.String()
	}
	return f
}
