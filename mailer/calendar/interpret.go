package calendar

import (
	"net/url"
	"strconv"
	"strings"

	ics "github.com/arran4/golang-ical"

	"github.com/invitemailer/invitemailer/mailer/zone"
)

// interpret takes what a mailer needs out of a text that scan has let through.
func interpret(text *component, known *zone.Zones) (*Calendar, error) {
	top, err := text.properties()
	if err != nil {
		return nil, err
	}
	speaker, err := speaking(text)
	if err != nil {
		return nil, err
	}
	c := &Calendar{Method: strings.ToUpper(strings.TrimSpace(top.value("METHOD")))}
	if err := c.read(speaker, &zones{text: text, known: known}); err != nil {
		return nil, err
	}
	return c, nil
}

// speaking returns the properties of the VEVENT that speaks for all.
func speaking(text *component) (properties, error) {
	var first, master properties
	for event := range text.all("VEVENT") {
		p, err := event.properties()
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = p
		}
		if p.value("UID") != first.value("UID") {
			return nil, fail(DifferentUIDs, 0, "it holds events with different UIDs")
		}
		if master == nil && p.first("RECURRENCE-ID") == nil {
			master = p
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

func (c *Calendar) read(p properties, z *zones) error {
	c.UID = p.value("UID")
	c.Status = strings.ToUpper(strings.TrimSpace(p.value("STATUS")))
	c.Summary, c.Description, c.Location = p.value("SUMMARY"), p.value("DESCRIPTION"), p.value("LOCATION")
	c.URL = strings.TrimSpace(p.value("URL"))
	c.RecurrenceRule, c.RecurrenceID = p.raw("RRULE"), p.value("RECURRENCE-ID")
	if s := p.first("SEQUENCE"); s != nil {
		n, err := strconv.Atoi(strings.TrimSpace(s.Value))
		if err != nil || n < 0 {
			return fail(BadValue, 0, "its SEQUENCE is not a number from 0")
		}
		c.Sequence, c.HasSequence = n, true
	}
	for _, property := range p {
		switch property.IANAToken {
		case "ATTENDEE":
			c.Attendees = append(c.Attendees, person(property))
		case "ORGANIZER":
			if c.Organizer == (Person{}) {
				c.Organizer = person(property)
			}
		}
	}
	return c.readTimes(p, z)
}

func person(p *ics.BaseProperty) Person {
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

// raw is value for structured values.
func (p properties) raw(name string) string { return strings.TrimSpace(p.value(name)) }

// carets undoes the encoding of RFC 6868.
var carets = strings.NewReplacer("^n", "\n", "^^", "^", "^'", `"`)

// parameter returns the value of a parameter; a list, as an unquoted comma in a name looks like one, is put together again.
func parameter(p *ics.BaseProperty, name string) string {
	value := strings.Join(p.ICalParameters[name], ",")
	if !strings.Contains(value, "^") {
		return value // A replacer makes a copy even so.
	}
	return carets.Replace(value)
}
