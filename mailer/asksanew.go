package mailer

import (
	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// asksAnew tells whether the answer to what e says was last mailed is none to c: the
// event has another time, or it was cancelled. A calendar that cannot be read any
// more may have had any time.
func (m *Mailer) asksAnew(e *ledger.Entry, c *calendar.Calendar) bool {
	before := e.LastSent
	if before == nil || before.Method != Request {
		return true
	}
	old, err := m.readCalendar(string(before.Calendar))
	return err != nil || !sameTime(old, c)
}

// sameTime tells whether two calendars have their event at the same time. That of a
// recurring event depends on its zone, too.
func sameTime(a, b *calendar.Calendar) bool {
	return a.Start.Equal(b.Start) && a.End.Equal(b.End) && a.AllDay == b.AllDay && a.Floating == b.Floating &&
		a.RecurrenceRule == b.RecurrenceRule && a.RecurrenceID == b.RecurrenceID && (a.RecurrenceRule == "" || a.TZID == b.TZID)
}

// statusIn is the status of a recipient in the API's answer, empty if it names none.
func statusIn(answer *cronofy.SmartInvite, recipient address.Address) string {
	if answer == nil {
		return ""
	}
	people := answer.Recipients
	if answer.Recipient != nil {
		people = append(people[:len(people):len(people)], *answer.Recipient)
	}
	for _, p := range people {
		if address.Equal(p.Email, recipient.String()) {
			return string(p.Status)
		}
	}
	return ""
}
