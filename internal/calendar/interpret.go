package calendar

import (
	"slices"
	"strconv"
	"strings"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// speaking returns the VEVENT that speaks for all: the first without RECURRENCE-ID, else the first.
func speaking(object *ical.Component) (*ical.Component, error) {
	events := slices.Collect(object.All("VEVENT"))
	if len(events) == 0 {
		return nil, fail(0, "there is no VEVENT in it")
	}
	for _, event := range events {
		if event.Value("UID") != events[0].Value("UID") {
			return nil, fail(0, "it holds events with different UIDs")
		}
	}
	isMaster := func(event *ical.Component) bool {
		_, n := event.Get("RECURRENCE-ID")
		return n == 0
	}
	return events[max(0, slices.IndexFunc(events, isMaster))], nil
}

func (c *Calendar) read(event *ical.Component) error {
	for _, p := range event.Properties {
		for q := range p.Parameters {
			if q.Misquoted() && !strings.HasPrefix(p.Name, "X-") {
				return fail(p.Line, "a parameter of %s has a double quote where none can be", p.Name)
			}
		}
	}
	c.UID = text(event, "UID")
	c.Status = strings.ToUpper(raw(event, "STATUS"))
	c.Summary, c.Description = text(event, "SUMMARY"), text(event, "DESCRIPTION")
	c.Location, c.URL = text(event, "LOCATION"), raw(event, "URL")
	c.RecurrenceRule, c.RecurrenceID = raw(event, "RRULE"), raw(event, "RECURRENCE-ID")
	if s, _ := event.Get("SEQUENCE"); s != nil {
		n, err := strconv.Atoi(strings.TrimSpace(s.Value))
		if err != nil || n < 0 {
			return fail(0, "its SEQUENCE is not a number from 0")
		}
		c.Sequence, c.HasSequence = n, true
	}
	for p := range event.Each("ATTENDEE") {
		c.Attendees = append(c.Attendees, person(p))
	}
	if p, _ := event.Get("ORGANIZER"); p != nil {
		c.Organizer = person(p)
	}
	return nil
}

func person(p *ical.Property) Person {
	email, ok := ical.Mailto(p.Value)
	if !ok {
		email, _ = ical.Mailto("mailto:" + parameter(p, "EMAIL"))
	}
	return Person{Name: parameter(p, "CN"), Email: email,
		PartStat: strings.ToUpper(parameter(p, "PARTSTAT")), RSVP: strings.EqualFold(parameter(p, "RSVP"), "TRUE")}
}

// text is the value of the first property of that name, a TEXT; "" if there is none.
func text(c *ical.Component, name string) string { return ical.UnescapeText(c.Value(name)) }

// raw is text for structured values, without the spaces around them.
func raw(c *ical.Component, name string) string { return strings.TrimSpace(c.Value(name)) }

// parameter returns the value of a parameter; "" if it is absent.
func parameter(p *ical.Property, name string) string {
	q, _ := p.Parameter(name)
	return ical.UnescapeParameter(q.Value)
}
