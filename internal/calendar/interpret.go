package calendar

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/zone"
)

// interpret takes what a mailer needs out of a text that scan has let through.
func interpret(object *ical.Component, known *zone.Zones) (*Calendar, error) {
	speaker, err := speaking(object)
	if err != nil {
		return nil, err
	}
	c := &Calendar{Method: strings.ToUpper(raw(object, "METHOD"))}
	if err := c.read(speaker, &zones{text: object, known: known}); err != nil {
		return nil, err
	}
	return c, nil
}

// speaking returns the VEVENT that speaks for all.
func speaking(object *ical.Component) (*ical.Component, error) {
	var first, master *ical.Component
	for event := range object.All("VEVENT") {
		if first == nil {
			first = event
		}
		if event.Value("UID") != first.Value("UID") {
			return nil, fail(DifferentUIDs, 0, "it holds events with different UIDs")
		}
		if _, n := event.Get("RECURRENCE-ID"); master == nil && n == 0 {
			master = event
		}
	}
	switch {
	case first == nil:
		return nil, fail(NoEvent, 0, "there is no VEVENT in it")
	case master == nil:
		return first, nil
	}
	return master, nil
}

func (c *Calendar) read(event *ical.Component, z *zones) error {
	for _, p := range event.Properties {
		for q := range p.Parameters {
			if q.Misquoted() && !strings.HasPrefix(p.Name, "X-") {
				return fail(Malformed, p.Line, "a parameter of %s has a double quote where none can be", p.Name)
			}
		}
	}
	c.UID = text(event, "UID")
	c.Status = strings.ToUpper(raw(event, "STATUS"))
	c.Summary, c.Description, c.Location = text(event, "SUMMARY"), text(event, "DESCRIPTION"), text(event, "LOCATION")
	c.URL = raw(event, "URL")
	c.RecurrenceRule, c.RecurrenceID = raw(event, "RRULE"), raw(event, "RECURRENCE-ID")
	if s, _ := event.Get("SEQUENCE"); s != nil {
		n, err := strconv.Atoi(strings.TrimSpace(s.Value))
		if err != nil || n < 0 {
			return fail(BadValue, 0, "its SEQUENCE is not a number from 0")
		}
		c.Sequence, c.HasSequence = n, true
	}
	for p := range event.Each("ATTENDEE") {
		c.Attendees = append(c.Attendees, person(p))
	}
	if p, _ := event.Get("ORGANIZER"); p != nil {
		c.Organizer = person(p)
	}
	return c.readTimes(event, z)
}

func person(p *ical.Property) Person {
	email, ok := mailto(p.Value)
	if !ok {
		email, _ = mailto("mailto:" + parameter(p, "EMAIL"))
	}
	sentBy, _ := mailto(parameter(p, "SENT-BY"))
	return Person{
		Name:     parameter(p, "CN"),
		Email:    email,
		PartStat: strings.ToUpper(parameter(p, "PARTSTAT")),
		Role:     strings.ToUpper(parameter(p, "ROLE")),
		CUType:   strings.ToUpper(parameter(p, "CUTYPE")),
		RSVP:     strings.EqualFold(parameter(p, "RSVP"), "TRUE"),
		SentBy:   sentBy,
	}
}

// mailto returns the address of a mailto: URI (RFC 6068 section 2), percent-decoded, without header fields after it.
func mailto(uri string) (string, bool) {
	uri = strings.TrimSpace(uri)
	scheme, rest, found := strings.Cut(uri, ":")
	if !found || !strings.EqualFold(scheme, "mailto") {
		return "", false
	}
	rest, _, _ = strings.Cut(rest, "?")
	if decoded, err := url.PathUnescape(rest); err == nil {
		rest = decoded
	}
	return strings.TrimSpace(rest), true
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
