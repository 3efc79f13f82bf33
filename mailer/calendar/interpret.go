package calendar

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"

	ics "github.com/arran4/golang-ical"
)

// interpret parses a text that scan has let through and takes out of it what a mailer needs.
func interpret(unfolded []byte) (*Calendar, error) {
	parsed, err := ics.ParseCalendarWithOptions(bytes.NewReader(unfolded),
		ics.WithUnknownPropertyHandler(ics.AcceptUnknownPropertyHandler))
	if err != nil {
		return nil, &Error{Code: Malformed, Reason: "a line cannot be read", Err: err}
	}
	speaker, err := speaking(parsed.Events())
	if err != nil {
		return nil, err
	}
	c := &Calendar{}
	for _, p := range parsed.CalendarProperties {
		if p.IANAToken == "METHOD" && c.Method == "" {
			c.Method = strings.ToUpper(strings.TrimSpace(p.Value))
		}
	}
	if err := c.read(properties(speaker.Properties), &zones{text: parsed}); err != nil {
		return nil, err
	}
	return c, nil
}

// speaking returns the VEVENT that speaks for all.
func speaking(events []*ics.VEvent) (*ics.VEvent, error) {
	if len(events) == 0 {
		return nil, fail(NoEvent, 0, "there is no VEVENT in it")
	}
	var master *ics.VEvent
	uid := properties(events[0].Properties).value("UID")
	for _, e := range events {
		p := properties(e.Properties)
		if p.value("UID") != uid {
			return nil, fail(DifferentUIDs, 0, "it holds events with different UIDs")
		}
		if master == nil && p.first("RECURRENCE-ID") == nil {
			master = e
		}
	}
	if master == nil {
		master = events[0]
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
	for i := range p {
		switch p[i].IANAToken {
		case "ATTENDEE":
			c.Attendees = append(c.Attendees, person(&p[i]))
		case "ORGANIZER":
			if c.Organizer == (Person{}) {
				c.Organizer = person(&p[i])
			}
		}
	}
	return c.readTimes(p, z)
}

func person(p *ics.IANAProperty) Person {
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

// properties are the properties of one component.
type properties []ics.IANAProperty

func (p properties) first(name string) *ics.IANAProperty {
	for i := range p {
		if p[i].IANAToken == name {
			return &p[i]
		}
	}
	return nil
}

// value returns the value of the first property of that name, or "".
func (p properties) value(name string) string {
	if first := p.first(name); first != nil {
		return first.Value
	}
	return ""
}

// raw is value for structured values.
func (p properties) raw(name string) string { return strings.TrimSpace(p.value(name)) }

// carets undoes the encoding of RFC 6868.
var carets = strings.NewReplacer("^n", "\n", "^^", "^", "^'", `"`)

// parameter returns the value of a parameter; a list, as an unquoted comma in a name looks like one, is put together again.
func parameter(p *ics.IANAProperty, name string) string {
	return carets.Replace(strings.Join(p.ICalParameters[name], ","))
}
