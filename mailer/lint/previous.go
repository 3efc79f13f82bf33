package lint

import (
	"errors"
	"fmt"
	"strings"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// Previous is the mail or calendar that was sent before about the same event.
type Previous struct{ *document }

// ReadPrevious reads the earlier message or iCalendar text. What is wrong with it is not looked
// for; it is an error if there is no event in it.
func ReadPrevious(data []byte) (*Previous, error) {
	d := read(data)
	if len(d.limits) > 0 {
		return nil, fmt.Errorf("reading the earlier message: %s", d.limits[0].what)
	}
	if d.cal == nil || d.cal.main() == nil {
		return nil, errors.New("reading the earlier message: there is no event in it; give the mail or the calendar that was sent before")
	}
	return &Previous{d}, nil
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
