package record

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/invitemailer/invitemailer/cronofy"
)

// event reads an event. A name that is not known goes to Extra, as it stands.
func (d *draft) event(v value) {
	if !d.isObject(v, "write its summary, start and end in braces") {
		return
	}
	e := &cronofy.Event{}
	d.invite.Event = e
	d.members(v, d.eventFields(e), func(m member) {
		if e.Extra == nil {
			e.Extra = make(map[string]json.RawMessage)
		}
		e.Extra[m.name] = json.RawMessage(bytes.Clone(m.text))
	})
}

func (d *draft) eventFields(e *cronofy.Event) []field {
	return []field{
		{"summary", d.text(&e.Summary)},
		{"description", d.text(&e.Description)},
		{"start", func(m member) { d.times[0] = d.clock(m.value) }},
		{"end", func(m member) { d.times[1] = d.clock(m.value) }},
		{"tzid", func(m member) { d.zoneAt = m.at; d.text(&e.TZID)(m) }},
		{"location", func(m member) { d.location(m.value) }},
		{"url", d.text(&e.URL)},
		{"reminders", func(m member) { d.reminders(m.value) }},
		{"reminders_create_only", d.flag(&e.RemindersCreateOnly)},
		{"transparency", d.text(&e.Transparency)},
		{"color", d.text(&e.Color)},
		{"event_private", d.flag(&e.EventPrivate)},
		{"locale", d.text(&e.Locale)},
	}
}

// flag reads true or false.
func (d *draft) flag(into **bool) func(member) {
	return func(m member) {
		is := m.is(jsontext.KindTrue)
		if !is && !m.is(jsontext.KindFalse) {
			d.add(m.at, m.path, "is %s; give true or false, without quotes", m.kind())
			return
		}
		*into = &is
	}
}

func (d *draft) location(v value) {
	l := &cronofy.Location{}
	if d.object(v, `write it as {"description": "Board room"}`, d.locationFields(l)...) {
		d.invite.Event.Location = l
	}
}

func (d *draft) locationFields(l *cronofy.Location) []field {
	return []field{
		{"description", d.text(&l.Description)},
		{"lat", d.coordinate(&l.Lat)},
		{"long", d.coordinate(&l.Long)},
	}
}

// coordinate reads degrees, which the API writes as strings and people as numbers.
func (d *draft) coordinate(into *string) func(member) {
	return func(m member) {
		if m.is(jsontext.KindNumber) {
			*into = string(m.text)
			return
		}
		d.text(into)(m)
	}
}

func (d *draft) reminders(v value) {
	const todo = `give a list such as [{"minutes": 30}]`
	if !v.is(jsontext.KindBeginArray) {
		d.add(v.at, v.path, "is %s, not an array; %s", v.kind(), todo)
		return
	}
	list := []cronofy.Reminder{}
	for e := range v.elements() {
		given, minutes := false, 0
		isObject := d.object(e, todo, field{"minutes", func(m member) {
			n, err := strconv.Atoi(string(m.text))
			if err != nil {
				d.add(m.at, m.path, "is not a whole number; give the minutes before the start, without quotes")
			}
			minutes, given = n, true
		}})
		if isObject && !given {
			d.add(e.at, e.path+".minutes", "is missing; give the minutes before the start")
		}
		list = append(list, cronofy.Reminder{Minutes: minutes})
	}
	d.invite.Event.Reminders = list
}
