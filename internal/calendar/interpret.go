package calendar

import (
	"strconv"
	"strings"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// speaking returns the VEVENT that speaks for all: the first without RECURRENCE-ID, else the first.
func speaking(object *ical.Component) (*ical.Component, error) {
	var first, master *ical.Component
	for event := range object.All("VEVENT") {
		if first == nil {
			first = event
		}
		if event.Value("UID") != first.Value("UID") {
			return nil, fail(0, "it holds events with different UIDs")
		}
		if _, n := event.Get("RECURRENCE-ID"); master == nil && n == 0 {
			master = event
		}
	}
	switch {
	case first == nil:
		return nil, fail(0, "there is no VEVENT in it")
	case master == nil:
		return first, nil
	}
	return master, nil
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
	return Person{
		Name:     parameter(p, "CN"),
		Email:    email,
		PartStat: strings.ToUpper(parameter(p, "PARTSTAT")),
		RSVP:     strings.EqualFold(parameter(p, "RSVP"), "TRUE"),
	}
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
