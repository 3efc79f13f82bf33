package lint

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// Previous is what the rules need to know of the mail or calendar that was sent before about the
// same event.
type Previous struct {
	text                   string // the calendar
	method, uid, organizer string
	attendees              []string // keys of addresses
	sequence               int
	stamp                  time.Time
	facts                  map[string]map[string]string // by RECURRENCE-ID and property
	messageIDs             []string                     // its own and those it refers to; none for a bare calendar
}

// ReadPrevious reads the earlier message or iCalendar text. What is wrong with it is not looked
// for; it is an error if there is no event in it.
func ReadPrevious(data []byte) (*Previous, error) {
	d := read(data)
	if len(d.limits) > 0 {
		return nil, fmt.Errorf("reading the earlier message: %s", d.limits[0].what)
	}
	if d.cal == nil || d.cal.main() == nil {
		return nil, errors.New("reading the earlier message: there is no event in it; give the " +
			"mail or the calendar that was sent before")
	}
	main := d.cal.main()
	p := &Previous{
		text: d.calendarText, method: d.cal.method, uid: main.Value("UID"), organizer: d.cal.organizer(),
		facts: map[string]map[string]string{}, messageIDs: d.messageIDs("Message-ID", "References", "In-Reply-To"),
	}
	p.sequence, _ = sequence(main)
	if stamp, _ := main.Get("DTSTAMP"); stamp != nil {
		p.stamp = stamp.When().Clock
	}
	for _, a := range d.cal.attendees {
		if a.key != "" {
			p.attendees = append(p.attendees, a.key)
		}
	}
	for _, e := range d.cal.events {
		p.facts[e.Value("RECURRENCE-ID")] = d.facts(e)
	}
	return p, nil
}

// significant are the properties whose change needs a higher SEQUENCE (RFC 5546 section 2.1.4).
var significant = []string{"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "STATUS"}

// facts are the significant properties in a form to compare: times in UTC where the zone is known.
func (d *document) facts(e *ical.Component) map[string]string {
	facts := map[string]string{}
	for _, name := range significant {
		var all strings.Builder
		for p := range e.Each(name) {
			value := strings.ToUpper(strings.Trim(p.Value, " \t"))
			if w := p.When(); w.OK {
				if t, ok := d.zones.instant(w); ok {
					value = w.ValueType() + t.Format(":20060102T150405Z")
				}
			}
			all.WriteString(value + "\n")
		}
		facts[name] = all.String()
	}
	return facts
}

// messageIDs returns the identifiers in the fields of those names, with their brackets.
func (d *document) messageIDs(names ...string) []string {
	var ids []string
	for _, name := range names {
		for id := range strings.FieldsSeq(d.value(name)) {
			ids = append(ids, id)
		}
	}
	return ids
}
