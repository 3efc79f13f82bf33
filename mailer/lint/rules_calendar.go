package lint

import (
	"strings"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// The rules on the calendar as an object: METHOD, components, structure.
var calendarRules = []Rule{
	{ID: "IM19", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "METHOD is REQUEST or CANCEL",
		Why:    "PUBLISH shows no buttons, and must not have an ATTENDEE; what no standard knows, no client shows.",
		Source: "RFC 5546 section 1.4; RFC 5545 section 3.8.4.1",
		Fix:    "Ask for METHOD:REQUEST to invite, METHOD:CANCEL to take it back. (Answers and their like pass as the mail of others.)",
		check: func(d *document, r *report) {
			m := d.cal.method
			if m == "" {
				return // IM28
			}
			p, _ := d.cal.objects[0].Get("METHOD")
			switch m {
			case "REQUEST", "CANCEL":
			case "PUBLISH":
				if !d.foreign() || len(d.cal.attendees) > 0 {
					r.fatal(d.at(p.Line), "METHOD:PUBLISH, which asks nobody to answer")
				} else {
					r.warn(d.at(p.Line), "METHOD:PUBLISH, which asks nobody to answer")
				}
			case "REPLY", "ADD", "REFRESH", "COUNTER", "DECLINECOUNTER":
				if !d.foreign() {
					r.fatal(d.at(p.Line), "METHOD:%s is no invitation", m)
				}
			default:
				r.fatal(d.at(p.Line), "METHOD:%s does not exist", quoteName(m))
			}
		}},
	{ID: "IM28", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "There is one VCALENDAR, well nested, with METHOD, VERSION:2.0 and PRODID once each before its components, and no property twice that may occur once",
		Why:    "A METHOD within or behind the event is overlooked: the mail is then no invitation, and a cancellation adds a second event.",
		Source: "RFC 5546 section 3.1.1; RFC 5545 sections 3.4, 3.6, 3.6.1 and 3.7; ical4j issue 423; Couchers issue 8557",
		Fix:    "Write BEGIN:VCALENDAR, VERSION, PRODID, METHOD, then the components, then END:VCALENDAR.",
		check:  checkObject},
	{ID: "IM29", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "There is a VEVENT, all have the same UID of 1 to 255 octets, and there is nothing else to schedule",
		Why:    "The UID is how every client finds the event again; without it updates make duplicates and cancellations do nothing.",
		Source: "RFC 5546 sections 3.2.2 and 3.2.5; RFC 5545 section 3.8.4.7",
		Fix:    "Give all VEVENTs of the calendar one UID, a UUID for example (RFC 7986 section 5.3).",
		check: func(d *document, r *report) {
			for _, sub := range d.cal.objects[0].Components {
				switch sub.Name {
				case "VTODO", "VJOURNAL", "VFREEBUSY":
					r.add(d.at(sub.Line), "there is a %s", sub.Name)
				}
			}
			if len(d.cal.events) == 0 {
				r.fatal(d.at(d.cal.objects[0].Line), "there is no VEVENT")
				return
			}
			uid := ""
			for _, e := range d.cal.events {
				p, n := e.Get("UID")
				switch {
				case n == 0:
					r.fatal(d.at(e.Line), "the VEVENT has no UID")
					continue
				case n > 1:
					r.add(d.at(e.Line), "the VEVENT has %d UIDs", n)
				}
				switch {
				case strings.Trim(p.Value, " \t") == "":
					r.fatal(d.at(p.Line), "the UID is empty")
				case len(p.Value) > maxUID:
					r.add(d.at(p.Line), "the UID is %d octets long", len(p.Value))
				case uid != "" && p.Value != uid:
					r.add(d.at(p.Line), "the UID %s is not that of the first VEVENT", quote(p.Value))
				}
				if uid == "" {
					uid = p.Value
				}
			}
		}},
	{ID: "IM30", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "Each VEVENT has one DTSTAMP, in UTC and not in the future",
		Why:    "DTSTAMP decides which of two messages is the newer; without it Gmail ignored cancellations.",
		Source: "RFC 5545 section 3.8.7.2; RFC 5546 section 2.1.5; Couchers issue 8557",
		Fix:    "Write DTSTAMP with the time this calendar was made, as 20270401T120000Z.",
		check: each(events, func(d *document, r *report, e *ical.Component) {
			p := d.once(r, e, "DTSTAMP", true)
			if p == nil {
				return
			}
			w := p.When()
			if !w.OK || !w.UTC || w.TZID != "" {
				r.add(d.at(p.Line), "DTSTAMP:%s is no time in UTC", quoteName(p.Value))
			} else if now := d.options.Now; !now.IsZero() && w.Clock.Sub(now).Minutes() > 5 {
				r.add(d.at(p.Line), "DTSTAMP:%s is more than 5 minutes in the future", p.Value)
			}
		})},
	{ID: "IM43", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "A CANCEL has no VALARM, and neither REQUEST nor CANCEL has a REQUEST-STATUS",
		Why:    "Both are forbidden there; an alarm for what is cancelled still rings in some clients.",
		Source: "RFC 5546 sections 3.2.2 and 3.2.5",
		Fix:    "Leave them out.",
		check: func(d *document, r *report) {
			if d.method != "REQUEST" && d.method != "CANCEL" {
				return
			}
			for _, e := range d.cal.events {
				for p := range e.Each("REQUEST-STATUS") {
					r.add(d.at(p.Line), "there is a REQUEST-STATUS")
				}
				for _, sub := range e.Components {
					if sub.Name == "VALARM" && d.method == "CANCEL" {
						r.add(d.at(sub.Line), "there is a VALARM in a CANCEL")
					}
				}
			}
		}},
	{ID: "IM80", Own: Warning, Any: Warning, Origin: Calendar, scope: inCalendar,
		Title:  "X-MICROSOFT-CDO-APPT-SEQUENCE, if there, is the SEQUENCE",
		Why:    "Outlook goes by it in preference to SEQUENCE.",
		Source: "MS-OXCICAL, on SEQUENCE and X-MICROSOFT-CDO-APPT-SEQUENCE",
		Fix:    "Leave it out, or write the same number.",
		check: each(events, func(d *document, r *report, e *ical.Component) {
			seq := strings.Trim(e.Value("SEQUENCE"), " \t")
			if seq == "" {
				seq = "0"
			}
			for p := range e.Each("X-MICROSOFT-CDO-APPT-SEQUENCE") {
				if strings.Trim(p.Value, " \t") != seq {
					r.add(d.at(p.Line), "it is %s, but SEQUENCE is %s", quote(p.Value), quoteName(seq))
				}
			}
		})},
}

// once wants a property to be there once (or at most once) and returns it.
func (d *document) once(r *report, c *ical.Component, name string, required bool) *ical.Property {
	first, n := c.Get(name)
	if n == 0 && required {
		r.add(d.at(c.Line), "the %s has no %s", quoteName(c.Name), name)
	}
	if n > 1 {
		for p := range c.Each(name) {
			if p != first {
				r.add(d.at(p.Line), "%s is there %d times", name, n)
				break
			}
		}
	}
	return first
}

// single are the properties of a VEVENT that may occur once (RFC 5545 section 3.6.1) and that no
// other rule counts.
var single = []string{"CLASS", "CREATED", "DESCRIPTION", "GEO", "LAST-MODIFIED", "LOCATION",
	"PRIORITY", "SUMMARY", "TRANSP", "URL", "RRULE"}

// checkObject is IM28.
func checkObject(d *document, r *report) {
	c := d.cal
	object := c.objects[0]
	for _, other := range c.objects[1:] {
		r.add(d.at(other.Line), "this is another VCALENDAR")
	}
	for _, top := range c.Top {
		if top.Name != "VCALENDAR" {
			r.add(d.at(top.Line), "BEGIN:%s stands outside of the VCALENDAR", quoteName(top.Name))
		}
	}
	for _, p := range c.Stray {
		r.add(d.at(p.Line), "%s stands outside of the VCALENDAR", quoteName(p.Name))
	}
	for _, p := range c.Broken {
		r.add(d.at(p.Line), "this is no content line: %s", quote(p.Raw))
	}
	for _, p := range c.Misnested {
		r.add(d.at(p.Line), "END:%s does not end what was begun last", quoteName(p.Value))
	}
	if c.Open != nil {
		r.fatal(d.at(c.Open.Line), "BEGIN:%s is never ended: the calendar is cut off", quoteName(c.Open.Name))
	}

	checkMethod(d, r, object)
	for _, name := range []string{"VERSION", "PRODID"} {
		d.once(r, object, name, true)
	}
	if p, _ := object.Get("VERSION"); p != nil && strings.Trim(p.Value, " \t") != "2.0" {
		r.add(d.at(p.Line), "VERSION:%s is not 2.0", quoteName(p.Value))
	}
	d.once(r, object, "CALSCALE", false)
	for i := range object.Properties {
		if p := &object.Properties[i]; len(object.Components) > 0 && p.Line > object.Components[0].Line {
			r.add(d.at(p.Line), "%s of the calendar stands behind a component", quoteName(p.Name))
		}
	}
	for _, e := range c.events {
		for _, name := range single {
			d.once(r, e, name, false)
		}
	}
}

func checkMethod(d *document, r *report, object *ical.Component) {
	first, n := object.Get("METHOD")
	if n == 0 {
		for c, p := range d.cal.Properties {
			if p.Name == "METHOD" {
				r.fatal(d.at(p.Line), "METHOD stands in the %s, where it does not count", quoteName(c.Name))
				return
			}
		}
		r.fatal(d.at(object.Line), "the VCALENDAR has no METHOD: nobody is invited")
		return
	}
	d.once(r, object, "METHOD", true)
	if strings.Trim(first.Value, " \t") == "" {
		r.fatal(d.at(first.Line), "METHOD is empty")
	}
}

// maxUID is what every reader must be able to keep (RFC 5545 section 3.8.4.7).
const maxUID = 255
