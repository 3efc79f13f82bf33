package record

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/zone"
)

// clock is a start or an end before its zone is known: event.tzid may stand after it.
type clock struct {
	field string // "" if none was given
	at    int
	text  string
	tzid  string // of the object form
	tzAt  int
}

// clock reads either form of an event's time.
func (d *draft) clock(v value) clock {
	c := clock{field: v.path, at: v.at}
	if v.is(jsontext.KindString) {
		c.text = v.str()
		return c
	}
	if !v.is(jsontext.KindBeginObject) {
		d.add(v.at, v.path, "is %s; give a time such as \"2027-04-29T09:30:00Z\", or an object of time and tzid",
			v.kind())
		return clock{}
	}
	given := false
	d.object(v, "",
		field{"time", func(m member) { given, c.at = true, m.at; d.text(&c.text)(m) }},
		field{"tzid", func(m member) { c.tzAt = m.at; d.text(&c.tzid)(m) }},
	)
	if !given {
		d.add(v.at, v.path+".time", "is missing; give a time such as \"2027-04-29T09:30:00Z\"")
	}
	if c.text == "" {
		return clock{}
	}
	return c
}

// resolve turns start and end into instants, now that event.tzid is known.
func (d *draft) resolve() {
	if d.invite.Event == nil {
		return
	}
	for i, into := range []*cronofy.EventTime{&d.invite.Event.Start, &d.invite.Event.End} {
		if c := d.times[i]; c.field != "" {
			d.resolveOne(c, into)
		}
	}
}

func (d *draft) resolveOne(c clock, into *cronofy.EventTime) {
	into.TZID = c.tzid
	wall, local := parseLocal(c.text)
	if !local {
		t, ok := parseEventTime(c.text)
		switch {
		case !ok:
			d.add(c.at, c.field, "%q is no time; give one such as 2027-04-29T09:30:00Z, a local one such as 2027-04-29T09:30:00 beside event.tzid, or a date such as 2027-04-29", short(c.text))
		case t.Time.Nanosecond() != 0:
			d.fraction(c)
		default:
			into.Time, into.DateOnly = t.Time, t.DateOnly
		}
		return
	}
	name, field, at := d.invite.Event.TZID, "event.tzid", d.zoneAt
	if c.tzid != "" {
		name, field, at = c.tzid, c.field+".tzid", c.tzAt
	}
	if wall.Nanosecond() != 0 {
		d.fraction(c)
		return
	}
	if name == "" {
		d.add(c.at, c.field, "%q is a local time, and there is no event.tzid; add one such as Europe/London, or an offset such as Z or +02:00", c.text)
		return
	}
	location, ok := zone.Load(name)
	if !ok {
		d.add(at, field, "%q is no time zone; use an IANA name such as Europe/London", short(name))
		return
	}
	instant, err := resolveLocal(wall, location)
	if err != nil {
		d.add(c.at, c.field, "%v", err)
		return
	}
	into.Time = instant
}

func (d *draft) fraction(c clock) {
	d.add(c.at, c.field, "%q has a fraction of a second, which the API refuses; give whole seconds", short(c.text))
}

// parseEventTime reads what an EventTime reads as a string.
func parseEventTime(text string) (t cronofy.EventTime, ok bool) {
	quoted, err := json.Marshal(text)
	return t, err == nil && t.UnmarshalJSON(quoted) == nil
}

const (
	localMinutes = "2006-01-02T15:04"
	localSeconds = "2006-01-02T15:04:05"
)

// parseLocal reads a time without an offset. The wall clock comes out as if it were UTC.
func parseLocal(text string) (wall time.Time, ok bool) {
	if date, clock, blank := strings.Cut(text, " "); blank {
		text = date + "T" + clock
	}
	layout := localSeconds
	if len(text) == len(localMinutes) {
		layout = localMinutes
	}
	if len(text) < len(layout) || text[len("2006-01-02T15")] != ':' {
		return time.Time{}, false // time.Parse takes hours of one digit, too
	}
	wall, err := time.Parse(layout, text)
	return wall, err == nil
}

// reach is more than any clock is ahead of UTC or behind it: the instant at
// which a clock shows a time is no farther from that time in UTC.
const reach = 26 * time.Hour

// resolveLocal finds the instant at which the clocks of a zone show that time. It goes by offsets
// alone: near the end of a year, Time.ZoneBounds can give an end that is not after the time.
func resolveLocal(wall time.Time, zone *time.Location) (time.Time, error) {
	before, after := offset(wall.Add(-reach), zone), offset(wall.Add(reach), zone)
	if before == after {
		return wall.Add(-before), nil
	}
	// Near a change, every offset that is in force around that time is tried.
	var found []time.Time
	for last, t := time.Duration(-1), wall.Add(-reach); !t.After(wall.Add(reach)); t = t.Add(time.Hour) {
		now := offset(t, zone)
		if now == last {
			continue
		}
		last = now
		if instant := wall.Add(-now); offset(instant, zone) == now {
			found = append(found, instant)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return time.Time{}, gap(wall, zone, before)
	}
	return time.Time{}, fmt.Errorf("%s is shown twice by the clocks in %s, which are put back then; give it with its offset: %s or %s",
		wall.Format(localSeconds), zone, found[0].In(zone).Format(time.RFC3339), found[len(found)-1].In(zone).Format(
			time.RFC3339))
}

// offset is what the clocks of a zone are ahead of UTC.
func offset(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// gap says what the clocks do instead of showing that time.
func gap(wall time.Time, zone *time.Location, before time.Duration) error {
	begin := wall.Add(-reach)
	n := sort.Search(int(2*reach/time.Second), func(n int) bool {
		return offset(begin.Add(time.Duration(n)*time.Second), zone) != before
	})
	change := begin.Add(time.Duration(n) * time.Second)
	return fmt.Errorf("%s is not shown by the clocks in %s, which go from %s to %s then; give a time that exists, or one with an offset such as %s",
		wall.Format(localSeconds), zone, change.Add(before).Format(localSeconds), change.In(zone).Format(localSeconds),
		change.Add(-time.Second).In(zone).Format("Z07:00"))
}
