package lint

import (
	"slices"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// The rules that compare with the message before.
var seriesRules = []Rule{
	{ID: "IM38", Own: Error, Any: Error, Origin: Calendar, scope: inEvent | inSeries,
		Title:  "Against the message before: SEQUENCE never falls and rises with each change of time, recurrence or status and with CANCEL; DTSTAMP is newer",
		Why:    "Clients ignore what looks older than what they have: the meeting stays at the old time.",
		Source: "RFC 5546 sections 2.1.4 and 2.1.5; tutanota issue 5732",
		Fix:    "Count SEQUENCE up, and write a new DTSTAMP each time.",
		check: func(d *document, r *report) {
			before, e := d.options.Previous.cal, d.cal.main()
			if e.Value("UID") != before.main().Value("UID") || d.repeats() {
				return
			}
			where := d.at(e.Line)
			if p, _ := e.Get("SEQUENCE"); p != nil {
				where = d.at(p.Line)
			}
			now, ok := sequence(e)
			if !ok && e.Value("SEQUENCE") != "" {
				return // IM37
			}
			was, _ := sequence(before.main())
			switch {
			case now < was:
				r.add(where, "SEQUENCE was %d and is %d", was, now)
			case now > was:
			case d.method == "CANCEL" && before.method != "CANCEL":
				r.add(where, "SEQUENCE was %d before the CANCEL and still is", was)
			default:
				for _, e := range d.cal.events {
					if name := before.changed(e); name != "" {
						r.add(where, "%s changed, but SEQUENCE is %d as before", name, now)
						break
					}
				}
			}
			var old ical.When
			if stamp, _ := before.main().Get("DTSTAMP"); stamp != nil {
				old = stamp.When()
			}
			stamp, _ := e.Get("DTSTAMP")
			if stamp != nil && stamp.When().OK && !stamp.When().Clock.After(old.Clock) {
				r.add(d.at(stamp.Line), "DTSTAMP was %s and is %s, which is not newer",
					old.Clock.Format("20060102T150405Z"), stamp.Value)
			}
		}},
	{ID: "IM39", Own: Error, Any: Error, Origin: Calendar, scope: inEvent | inSeries,
		Title:  "Against the message before: UID and ORGANIZER are the same",
		Why:    "With another UID the reader has two events; Gmail ignores changes by another organizer.",
		Source: "RFC 5546 sections 2.1.5, 3.2.2.4 and 3.2.5",
		Fix:    "Keep the UID for the life of the event. To change the organizer, send a REQUEST with a higher SEQUENCE.",
		check: func(d *document, r *report) {
			before, e := d.options.Previous, d.cal.main()
			old := before.cal.main()
			if uid, _ := e.Get("UID"); uid != nil && uid.Value != old.Value("UID") {
				r.add(d.at(uid.Line), "the UID was %s and is %s", quote(old.Value("UID")), quote(uid.Value))
			}
			was, now := before.cal.organizer(), d.cal.organizer()
			if now == "" || was == "" || now == was {
				return
			}
			p, _ := e.Get("ORGANIZER")
			where := d.at(0)
			if p != nil {
				where = d.at(p.Line)
			}
			n, _ := sequence(e)
			if oldNumber, _ := sequence(old); n > oldNumber && d.method == "REQUEST" {
				r.warn(where, "the ORGANIZER was %s and is %s", quote(was), quote(now))
			} else {
				r.add(where, "the ORGANIZER was %s and is %s, without a REQUEST of a higher SEQUENCE",
					quote(was), quote(now))
			}
		}},
	{ID: "IM70", Own: Warning, Any: Warning, Origin: Composed, scope: inCalendar | inSeries,
		Title:  "An update or cancellation refers to the message before, in In-Reply-To and References",
		Why:    "Clients show them as one thread only then.",
		Source: "RFC 5322 section 3.6.4",
		Fix:    "Put the Message-ID of the first invitation into both.",
		check: func(d *document, r *report) {
			before := d.options.Previous.messageIDs("Message-ID", "References", "In-Reply-To")
			if d.root == nil || len(before) == 0 || d.repeats() {
				return
			}
			for _, name := range []string{"In-Reply-To", "References"} {
				isBefore := func(id string) bool { return slices.Contains(before, id) }
				if !slices.ContainsFunc(d.messageIDs(name), isBefore) {
					r.add(place{header: name}, "it does not name the message before, %s", quote(before[0]))
				}
			}
		}},
}

// repeats reports whether the calendar is the one before, sent again.
func (d *document) repeats() bool { return d.calendarText == d.options.Previous.calendarText }

// changed returns the first significant property that e does not have as in c, or "".
func (c *calendar) changed(e *ical.Component) string {
	for _, old := range slices.Backward(c.events) {
		if old.Value("RECURRENCE-ID") == e.Value("RECURRENCE-ID") {
			differs := func(name string) bool { return significantValue(e, name) != significantValue(old, name) }
			if i := slices.IndexFunc(significant, differs); i >= 0 {
				return significant[i]
			}
			break
		}
	}
	return ""
}
