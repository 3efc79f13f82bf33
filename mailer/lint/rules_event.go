package lint

import (
	"strconv"
	"strings"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// The rules on what a VEVENT says of itself: SEQUENCE, STATUS.
var eventRules = []Rule{
	{ID: "IM37", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "SEQUENCE is a number from 0 on, there once at most, and always there in a CANCEL",
		Why:    "Clients compare it to tell the newer message; a cancellation without it is taken for an old one.",
		Source: "RFC 5545 section 3.8.7.4; RFC 5546 section 3.2.5",
		Fix:    "Write SEQUENCE:0 first, and one more for each change and for the cancellation.",
		check: each(events, func(d *document, r *report, e *ical.Component) {
			p := d.once(r, e, "SEQUENCE", d.method == "CANCEL")
			if p == nil {
				return
			}
			if _, ok := sequence(e); !ok {
				r.add(d.at(p.Line), "SEQUENCE:%s is no number from 0 to 2147483647", quoteName(p.Value))
			}
		})},
	{ID: "IM40", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar | inRequest,
		Title:  "The STATUS of a REQUEST is TENTATIVE or CONFIRMED, or absent",
		Why:    "Clients show what they do not know as they please.",
		Source: "RFC 5546 section 3.2.2",
		Fix:    "Write STATUS:CONFIRMED.",
		check: func(d *document, r *report) {
			for _, e := range d.cal.events {
				p := d.once(r, e, "STATUS", false)
				if p == nil {
					continue
				}
				switch strings.ToUpper(strings.Trim(p.Value, " \t")) {
				case "TENTATIVE", "CONFIRMED", "CANCELLED": // IM41 has the last
				default:
					r.add(d.at(p.Line), "STATUS:%s", quoteName(p.Value))
				}
			}
		}},
	{ID: "IM41", Own: Error, Any: Error, Origin: Calendar, scope: inCalendar,
		Title:  "STATUS:CANCELLED comes with METHOD:CANCEL, and a CANCEL has no other STATUS",
		Why:    "A cancellation sent as REQUEST leaves the event in the calendar.",
		Source: "RFC 5546 sections 3.2.2 and 3.2.5; cal.diy issue 29706",
		Fix:    "To cancel, send METHOD:CANCEL with STATUS:CANCELLED, spelled so; to take a single person out, without STATUS.",
		check: func(d *document, r *report) {
			whole := d.method == "CANCEL" && d.allTold()
			for _, e := range d.cal.events {
				p, n := e.Get("STATUS")
				status := ""
				if p != nil {
					status = strings.ToUpper(strings.Trim(p.Value, " \t"))
				}
				_, instance := e.Get("RECURRENCE-ID")
				switch {
				case d.method == "REQUEST" && status == "CANCELLED" && instance > 0:
					r.warn(d.at(p.Line), "an instance is STATUS:CANCELLED in a REQUEST; a CANCEL for "+
						"it, or an EXDATE, is safer")
				case d.method == "REQUEST" && status == "CANCELLED":
					r.add(d.at(p.Line), "STATUS:CANCELLED, but METHOD:REQUEST")
				case d.method != "CANCEL":
				case n > 1:
					r.add(d.at(p.Line), "STATUS is there %d times", n)
				case n == 1 && status != "CANCELLED":
					r.add(d.at(p.Line), "STATUS:%s, but METHOD:CANCEL", quoteName(p.Value))
				case n == 0 && instance == 0 && whole:
					r.add(d.at(e.Line), "all who were invited are told, but STATUS:CANCELLED is missing")
				}
			}
		}},
	{ID: "IM56", Own: Warning, Any: Warning, Origin: Calendar, scope: inEvent,
		Title:  "SUMMARY says something, and links in the HTML are in the calendar too",
		Why:    "Outlook shows the calendar and hides the text of the mail: a join link that is only there is lost.",
		Source: "mrbs-code issue 498; Zimbra, CalendarMailSender",
		Fix:    "Put the title into SUMMARY, and the link into DESCRIPTION, LOCATION or URL.",
		check: func(d *document, r *report) {
			e := d.cal.main()
			if strings.TrimSpace(ical.UnescapeText(e.Value("SUMMARY"))) == "" {
				r.add(d.at(e.Line), "there is no SUMMARY, or a blank one")
			}
			if d.root != nil && !d.foreign() && d.method == "REQUEST" {
				checkLinksInEvent(d, r, e)
			}
		}},
}

// sequence reads SEQUENCE, an INTEGER from 0 on (RFC 5545 section 3.3.8).
func sequence(e *ical.Component) (int, bool) {
	n, err := strconv.ParseInt(strings.Trim(e.Value("SEQUENCE"), " \t"), 10, 32)
	return int(max(n, 0)), err == nil && n >= 0
}

// allTold reports whether a CANCEL names all whom the earlier message invited, so that the
// whole event is meant.
func (d *document) allTold() bool {
	before := d.options.Previous
	if before == nil || before.cal.method != "REQUEST" || len(before.cal.byKey) == 0 {
		return false
	}
	organizer := before.cal.organizer()
	for key := range before.cal.byKey {
		if key != organizer && d.cal.byKey[key] == nil {
			return false
		}
	}
	return true
}
