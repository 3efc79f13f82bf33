package lint

import (
	"slices"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/ical"
	"github.com/invitemailer/invitemailer/internal/zone"
)

// The rules on times, zones and recurrence.
var timeRules = []Rule{
	{ID: "IM44", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "A REQUEST has one DTSTART and not both DTEND and DURATION; the end comes after the start and is of the same type",
		Why:    "Clients drop the event, or show it without an end.",
		Source: "RFC 5546 sections 3.2.2 and 3.2.5; RFC 5545 sections 3.6.1 and 3.8.2.2",
		Fix:    "Give DTSTART and DTEND, both as DATE or both as DATE-TIME, the end later.",
		check: each(events, func(d *document, r *report, e *ical.Component) {
			start := d.once(r, e, "DTSTART", d.method == "REQUEST")
			end := d.once(r, e, "DTEND", false)
			length := d.once(r, e, "DURATION", false)
			if end != nil && length != nil {
				r.add(d.at(length.Line), "there are both DTEND and DURATION")
			}
			if start != nil && !start.When().OK {
				r.add(d.at(start.Line), "DTSTART:%s is no date or time", quoteName(start.Value))
				return
			}
			if length != nil {
				if n, ok := readDuration(length.Value); !ok || n <= 0 {
					r.add(d.at(length.Line), "DURATION:%s is no length of time", quoteName(length.Value))
				}
			}
			if end == nil {
				return
			}
			to := end.When()
			if !to.OK {
				r.add(d.at(end.Line), "DTEND:%s is no date or time", quoteName(end.Value))
				return
			}
			if start == nil {
				return
			}
			from := start.When()
			v, typed := start.Parameter("VALUE")
			if typed && !strings.EqualFold(v.Value, from.ValueType()) || !typed && from.Day {
				r.add(d.at(start.Line), "DTSTART:%s is not of the type it says: a date needs VALUE=DATE",
					quoteName(start.Value))
			}
			if from.Day != to.Day {
				r.add(d.at(end.Line), "DTSTART is a %s and DTEND a %s", from.ValueType(), to.ValueType())
				return
			}
			a, b := from.Clock, to.Clock
			if from.UTC != to.UTC || from.TZID != to.TZID {
				var okA, okB bool
				a, okA = instant(from)
				b, okB = instant(to)
				if !okA || !okB {
					return
				}
			}
			if !b.After(a) {
				r.add(d.at(end.Line), "the end, %s, does not come after the start, %s",
					quoteName(end.Value), quoteName(start.Value))
			}
		})},
	{ID: "IM45", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "Each TZID has its VTIMEZONE in the calendar, none of which has RRULE and RDATE in one rule",
		Why:    "Outlook shows the event an hour or more off, or not at all.",
		Source: "RFC 5545 section 3.2.19; Microsoft KB 4456241",
		Fix:    "Add a VTIMEZONE for each TZID, or write the times in UTC.",
		check: func(d *document, r *report) {
			missing := map[string]bool{}
			for c, p := range d.cal.Properties {
				if c.Name == "VTIMEZONE" || p.Params == "" {
					continue
				}
				tzid, ok := p.Parameter("TZID")
				if !ok || missing[tzid.Value] || d.cal.zones[tzid.Value] != nil {
					continue
				}
				missing[tzid.Value] = true
				r.add(d.at(p.Line), "there is no VTIMEZONE for TZID=%s", quoteName(tzid.Value))
			}
			for _, sub := range d.cal.objects[0].Components {
				if sub.Name != "VTIMEZONE" {
					continue
				}
				for _, rule := range sub.Components {
					_, rrule := rule.Get("RRULE")
					_, rdate := rule.Get("RDATE")
					if rrule > 0 && rdate > 0 {
						r.add(d.at(rule.Line), "%s has an RRULE and an RDATE", quoteName(rule.Name))
					}
				}
			}
		}},
	{ID: "IM46", Own: Warning, Any: Warning, Origin: Calendar, scope: inCalendar,
		Title:  "Times name their zone or are in UTC; TZID stands on local times only and is no property of the event",
		Why:    "A floating time is another hour for each reader; a TZID where it does not belong is read in different ways.",
		Source: "RFC 5545 sections 3.2.19 and 3.3.5; ical4j issue 585",
		Fix:    "Write DTSTART;TZID=Europe/London:20270429T093000, or 20270429T083000Z without TZID.",
		check: each(events, func(d *document, r *report, e *ical.Component) {
			for i := range e.Properties {
				p := &e.Properties[i]
				if p.Name == "TZID" {
					r.error(d.at(p.Line), "TZID is a property of the VEVENT")
				}
				if slices.Contains(times, p.Name) {
					checkZone(d, r, p)
				}
			}
		})},
	{ID: "IM54", Own: Warning, Any: Warning, Origin: Calendar, scope: inCalendar,
		Title:  "Recurrence stays within what Outlook reads: no RDATE without RRULE, one BYMONTHDAY or one ordinal of a weekday",
		Why:    "Outlook shows \"not supported calendar message.ics\" for anything else.",
		Source: "Microsoft KB 2643084",
		Fix:    "Use a simple RRULE, or send single events.",
		check: each(events, func(d *document, r *report, e *ical.Component) {
			rule, _ := e.Get("RRULE")
			if rule == nil {
				if p, n := e.Get("RDATE"); n > 0 {
					r.add(d.at(p.Line), "there is an RDATE and no RRULE")
				}
				return
			}
			checkRecurrence(d, r, rule)
		})},
	{ID: "IM55", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "RECURRENCE-ID names one instance each, in the type of DTSTART; an invitation to a series has its master",
		Why:    "Clients treat two masters or two copies of an instance each in their own way, and some drop instances without a master.",
		Source: "RFC 5546 sections 3.2.2 and 3.2.5; RFC 5545 section 3.8.4.4",
		Fix:    "One VEVENT with RRULE and no RECURRENCE-ID, and one for each changed instance.",
		check: func(d *document, r *report) {
			seen := map[string]bool{}
			master := false
			for _, e := range d.cal.events {
				id := d.once(r, e, "RECURRENCE-ID", false)
				if id == nil {
					if master {
						r.add(d.at(e.Line), "this is another VEVENT without RECURRENCE-ID")
					}
					master = true
					continue
				}
				tzid, _ := id.Parameter("TZID")
				key := tzid.Value + ":" + id.Value
				if seen[key] {
					r.add(d.at(id.Line), "this is another VEVENT for the instance %s", quoteName(id.Value))
				}
				seen[key] = true
				start, _ := e.Get("DTSTART")
				if start != nil && start.When().OK && (!id.When().OK || id.When().Day != start.When().Day) {
					r.add(d.at(id.Line), "RECURRENCE-ID:%s is not of the type of DTSTART", quoteName(id.Value))
				}
				if p, n := e.Get("RRULE"); n > 0 {
					r.add(d.at(p.Line), "an instance has an RRULE")
				}
			}
			if !master && len(seen) > 0 && d.method == "REQUEST" {
				r.warn(d.at(d.cal.events[0].Line), "there are instances only, and no VEVENT for the series")
			}
		}},
	{ID: "IM57", Own: Warning, Any: Warning, Origin: Calendar, scope: inCalendar,
		Title:  "The event is not over",
		Why:    "Clients and servers pass over invitations to the past.",
		Source: "Nextcloud and Apple's calendar server do not send them (IMipPlugin.php, outbound.py)",
		Fix:    "Check the year and the zone; do not send it.",
		check: func(d *document, r *report) {
			if d.options.Now.IsZero() || d.method == "CANCEL" {
				return
			}
			var last time.Time
			var where *ical.Property
			for _, e := range d.cal.events {
				end, p, ok := d.lastEnd(e)
				if !ok {
					return
				}
				if end.After(last) {
					last, where = end, p
				}
			}
			if where != nil && last.Before(d.options.Now) {
				r.add(d.at(where.Line), "the event ended at %s", last.Format("2006-01-02 15:04 UTC"))
			}
		}},
}

// times are the properties of a VEVENT that have a date or time and may have a TZID.
var times = []string{"DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"}

// checkZone is IM46 for one property.
func checkZone(d *document, r *report, p *ical.Property) {
	tzid, has := p.Parameter("TZID")
	for value := range strings.SplitSeq(p.Value, ",") {
		value, _, _ = strings.Cut(value, "/") // a PERIOD
		w := ical.ReadWhen(value, tzid.Value)
		switch {
		case !w.OK:
			continue
		case has && w.UTC:
			r.error(d.at(p.Line), "%s has a TZID and is in UTC", p.Name)
		case has && w.Day:
			r.error(d.at(p.Line), "%s has a TZID and is a date", p.Name)
		case w.Floating():
			r.add(d.at(p.Line), "%s:%s is a floating time", p.Name, value)
		default:
			continue
		}
		return
	}
}

// checkRecurrence is IM54 for one RRULE.
func checkRecurrence(d *document, r *report, rule *ical.Property) {
	for part := range strings.SplitSeq(strings.ToUpper(rule.Value), ";") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "BYMONTHDAY":
			if strings.Contains(value, ",") {
				r.add(d.at(rule.Line), "RRULE has several days of the month: %s", quote(part))
			}
		case "BYDAY":
			if strings.Contains(value, ",") && strings.ContainsAny(value, "0123456789") {
				r.add(d.at(rule.Line), "RRULE has several ordinals of weekdays: %s", quote(part))
			}
		case "FREQ":
			if value == "SECONDLY" || value == "MINUTELY" || value == "HOURLY" {
				r.add(d.at(rule.Line), "RRULE has FREQ=%s", value)
			}
		}
	}
}

// readDuration reads a DURATION, whose days have 24 hours here.
func readDuration(s string) (time.Duration, bool) {
	days, rest, ok := ical.ReadDuration(s)
	return time.Duration(days)*24*time.Hour + rest, ok
}

// instant returns w in UTC, if its zone is one of the IANA database.
func instant(w ical.When) (time.Time, bool) {
	switch {
	case !w.OK || w.Floating():
		return time.Time{}, false
	case w.Day || w.UTC:
		return w.Clock, true
	}
	location, ok := zone.Load(w.TZID)
	if !ok {
		return time.Time{}, false
	}
	c := w.Clock
	return time.Date(c.Year(), c.Month(), c.Day(), c.Hour(), c.Minute(), c.Second(), 0, location).UTC(), true
}

// behind is the most by which a wall clock is behind UTC, ahead the most by which it is ahead.
const (
	behind = 12 * time.Hour
	ahead  = 14 * time.Hour
)

// lastEnd returns when e is over for sure, and the property that says so. Not ok: it recurs in a
// way that is not followed here, or cannot be read.
func (d *document) lastEnd(e *ical.Component) (time.Time, *ical.Property, bool) {
	at, _ := e.Get("DTSTART")
	_, dates := e.Get("RDATE")
	if at == nil || !at.When().OK || dates > 0 {
		return time.Time{}, nil, false
	}
	start := at.When()
	end := start
	if p, _ := e.Get("DTEND"); p != nil && p.When().OK {
		at, end = p, p.When()
	}
	extra := time.Duration(0)
	if p, _ := e.Get("DURATION"); p != nil {
		extra, _ = readDuration(p.Value)
	} else if end == start && start.Day {
		extra = 24 * time.Hour
	}
	if rule, _ := e.Get("RRULE"); rule != nil {
		until := ruleUntil(rule.Value)
		if !until.OK {
			return time.Time{}, nil, false
		}
		extra += end.Clock.Sub(start.Clock)
		at, end = rule, until
	}
	out := end.Clock.Add(extra)
	if end.UTC {
		return out, at, true
	}
	// Wherever the zone is, it is over half a day later and not over a good half day before; only
	// in between is the zone looked up.
	latest := out.Add(behind)
	near := !latest.Before(d.options.Now) && !out.Add(-ahead).After(d.options.Now)
	if near && !end.Day {
		if t, ok := instant(end); ok {
			return t.Add(extra), at, true
		}
	}
	return latest, at, true
}

// ruleUntil returns UNTIL of an RRULE.
func ruleUntil(rule string) ical.When {
	for part := range strings.SplitSeq(strings.ToUpper(rule), ";") {
		if value, ok := strings.CutPrefix(part, "UNTIL="); ok {
			return ical.ReadWhen(value, "")
		}
	}
	return ical.When{}
}
