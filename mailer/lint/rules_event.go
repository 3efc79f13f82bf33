package lint

import (
	"slices"
	"strconv"
	"strings"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// The rules on what a VEVENT says of itself: SEQUENCE, STATUS; and against the message before.
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

// significant are the properties whose change needs a higher SEQUENCE (RFC 5546 section 2.1.4).
var significant = []string{"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "STATUS"}

// significantValue returns the values of a property in a form to compare: times in UTC where the
// zone is known.
func significantValue(e *ical.Component, name string) string {
	var all strings.Builder
	for p := range e.Each(name) {
		value := strings.ToUpper(strings.Trim(p.Value, " \t"))
		w := p.When()
		if t, ok := instant(w); ok {
			value = w.ValueType() + t.Format(":20060102T150405Z")
		}
		all.WriteString(value + "\n")
	}
	return all.String()
}

// messageIDs returns the identifiers in the fields of those names, with their brackets.
func (d *document) messageIDs(names ...string) []string {
	var ids []string
	for _, name := range names {
		ids = append(ids, strings.Fields(d.value(name))...)
	}
	return ids
}
