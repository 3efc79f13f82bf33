package lint

import (
	"slices"
	"strings"
)

// The rules on ORGANIZER and ATTENDEE, and on who gets the mail.
var peopleRules = []Rule{
	{ID: "IM31", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "Each VEVENT has one ORGANIZER: mailto: and a bare address",
		Why:    "Answers go to it. Without mailto:, or with a name or %40 in the address, Outlook and Google show no buttons or answer nobody.",
		Source: "RFC 6047 section 2.3; RFC 5545 section 3.8.4.3; markuspoerschke/iCal issue 260; golang-ical issue 88",
		Fix:    "Write ORGANIZER;CN=Jane Doe:mailto:jane@example.com.",
		check: func(d *document, r *report) {
			for _, e := range d.cal.events {
				d.once(r, e, "ORGANIZER", true)
			}
			for _, o := range d.cal.organizers {
				if o.problem != "" {
					r.add(d.at(o.property.Line), "ORGANIZER %s: %s", quote(o.property.Value), o.problem)
				}
			}
		}},
	{ID: "IM32", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "A REQUEST has an ATTENDEE in each VEVENT; each is mailto: and a bare address",
		Why:    "Nobody is asked to answer: Gmail offers \"add to calendar\" at most.",
		Source: "RFC 5546 section 3.2.2; RFC 6047 section 2.3; icalendar issue 229",
		Fix:    "Write ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ada@example.com for each person.",
		check: func(d *document, r *report) {
			if d.method == "REQUEST" {
				for _, e := range d.cal.events {
					if _, n := e.Get("ATTENDEE"); n == 0 {
						r.fatal(d.at(e.Line), "the VEVENT has no ATTENDEE")
					}
				}
			}
			for _, a := range d.cal.attendees {
				if a.problem != "" {
					r.add(d.at(a.property.Line), "ATTENDEE %s: %s", quote(a.property.Value), a.problem)
				}
			}
		}},
	{ID: "IM33", Own: Error, Any: Error, Origin: Calendar, scope: inMail | inCalendar | inRequest,
		Title:  "Who gets the invitation is one of its ATTENDEEs",
		Why:    "Gmail and Outlook look for the reader among them, and block the buttons if it is not there.",
		Source: "CalConnect Developer's Guide, iMIP Best Practices; icalendar issue 229; .NET Foundation wg-maintainers issue 64",
		Fix:    "Send to the address that the calendar invites, or have the calendar made for the one in To.",
		check:  mustInvite},
	{ID: "IM34", Own: Warning, Any: Warning, Origin: Calendar, scope: inMail | inCalendar,
		Title:  "The ORGANIZER is not invited by mail to the own event",
		Why:    "No client shows buttons to the organizer.",
		Source: "RFC 5546 section 2.1.3 (organizer and attendees are separate); experience",
		Fix:    "Leave that mail out; put the event into the organizer's calendar in another way.",
		check: func(d *document, r *report) {
			organizer := d.cal.organizer()
			for _, to := range d.to {
				if to.key != "" && to.key == organizer && (d.method == "REQUEST" || d.method == "CANCEL") {
					r.add(place{header: "To"}, "%s is the ORGANIZER", quote(to.addr))
				}
			}
		}},
	{ID: "IM35", Own: Warning, Any: Warning, Origin: Calendar, scope: inMail | inEvent | inRequest,
		Title:  "In a first invitation, the recipient has PARTSTAT=NEEDS-ACTION and RSVP=TRUE",
		Why:    "Who has accepted already is shown no buttons.",
		Source: "RFC 5545 sections 3.2.12 and 3.2.17; Nextcloud issue 21189",
		Fix:    "Write ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:….",
		check: func(d *document, r *report) {
			if n, _ := sequence(d.cal.main()); n > 0 || d.options.Previous != nil {
				return
			}
			for _, to := range d.to {
				a := d.cal.byKey[to.key]
				if a == nil {
					continue
				}
				if v, ok := a.property.Parameter("PARTSTAT"); ok && !strings.EqualFold(v.Value, "NEEDS-ACTION") {
					r.add(d.at(a.property.Line), "the recipient has PARTSTAT=%s", quoteName(v.Value))
				}
				if v, _ := a.property.Parameter("RSVP"); !strings.EqualFold(v.Value, "TRUE") {
					r.add(d.at(a.property.Line), "the recipient has no RSVP=TRUE")
				}
			}
		}},
	{ID: "IM36", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "RSVP, PARTSTAT, ROLE and CUTYPE have values that exist",
		Why:    "Clients pass over what they do not know: RSVP=YES asks nobody, NEEDS ACTION without hyphen is no status.",
		Source: "RFC 5545 sections 3.2.3, 3.2.12, 3.2.16 and 3.2.17; icalendar issue 103",
		Fix:    "RSVP=TRUE, PARTSTAT=NEEDS-ACTION, ROLE=REQ-PARTICIPANT, CUTYPE=INDIVIDUAL, hyphens included.",
		check: func(d *document, r *report) {
			for _, a := range d.cal.attendees {
				for q := range a.property.Parameters {
					legal, known := enums[q.Name]
					value := strings.ToUpper(q.Value)
					if known && !slices.Contains(legal, value) &&
						(q.Name == "RSVP" || !strings.HasPrefix(value, "X-")) {
						r.add(d.at(a.property.Line), "%s=%s", q.Name, quoteName(q.Value))
					}
				}
			}
		}},
	{ID: "IM42", Own: Error, Any: Error, Origin: Calendar, scope: inMail | inCalendar | inCancel,
		Title:  "Who gets the cancellation is one of its ATTENDEEs",
		Why:    "A client that does not find the reader leaves the event where it is.",
		Source: "RFC 5546 section 3.2.5",
		Fix:    "Name those in the CANCEL who are told.",
		check:  mustInvite},
	{ID: "IM66", Own: Warning, Any: Warning, Origin: Calendar, scope: inCalendar,
		Title:  "The ORGANIZER has no SENT-BY; if it has, its value is a quoted mailto:",
		Why:    "Outlook passes over it, so it tells nobody who sent the mail; unquoted, its colon ends the parameters.",
		Source: "RFC 5545 section 3.2.18; MS-STANOICAL, on SENT-BY",
		Fix:    "Leave it out; let From and ORGANIZER be the same.",
		check: func(d *document, r *report) {
			for _, o := range d.cal.organizers {
				v, ok := o.property.Parameter("SENT-BY")
				switch {
				case !ok:
				case !v.Quoted || !hasPrefixFold(v.Value, "mailto:"):
					r.error(d.at(o.property.Line), "SENT-BY=%s is no quoted mailto:", quoteName(v.Value))
				default:
					r.add(d.at(o.property.Line), "SENT-BY=%s", quoteName(v.Value))
				}
			}
		}},
}

// enums are the values that stand in RFC 5545. Those that begin with X- may be anything.
var enums = map[string][]string{
	"RSVP":     {"TRUE", "FALSE"},
	"PARTSTAT": {"NEEDS-ACTION", "ACCEPTED", "DECLINED", "TENTATIVE", "DELEGATED"},
	"ROLE":     {"CHAIR", "REQ-PARTICIPANT", "OPT-PARTICIPANT", "NON-PARTICIPANT"},
	"CUTYPE":   {"INDIVIDUAL", "GROUP", "RESOURCE", "ROOM", "UNKNOWN"},
}

// mustInvite looks for a recipient among the attendees. One is enough: others may be in To for
// their own reasons (IM64).
func mustInvite(d *document, r *report) {
	if len(d.to) == 0 || len(d.cal.events) == 0 {
		return // IM58, IM29
	}
	for _, to := range d.to {
		if d.cal.byKey[to.key] != nil {
			return
		}
	}
	r.fatal(place{header: "To"}, "%s is no ATTENDEE", quote(d.to[0].addr))
}
