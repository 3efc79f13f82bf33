package cronofytest

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/zone"
)

// Limits of create-or-update-event, in code points.
const (
	maxSummary     = 1024
	maxDescription = 4096
)

// event is what the API knows of an event, in the form in which it answers.
type event struct {
	Summary             string             `json:"summary"`
	Description         string             `json:"description,omitempty"`
	Start               eventTime          `json:"start"`
	End                 eventTime          `json:"end"`
	Location            *cronofy.Location  `json:"location,omitempty"`
	URL                 string             `json:"url,omitempty"`
	Reminders           []cronofy.Reminder `json:"reminders,omitempty"`
	RemindersCreateOnly *bool              `json:"reminders_create_only,omitempty"`
	Transparency        string             `json:"transparency,omitempty"`
	Color               string             `json:"color,omitempty"`
	EventPrivate        *bool              `json:"event_private,omitempty"`
	Locale              string             `json:"locale,omitempty"`
	Recurrence          any                `json:"recurrence,omitempty"`
	Subscriptions       any                `json:"subscriptions,omitempty"`
	EventClasses        any                `json:"event_classes,omitempty"`
}

// eventTime is an instant with the zone to show it in, or a day.
type eventTime struct {
	instant time.Time // midnight UTC of a day
	tzid    string
	day     bool
	object  bool // a day that was given as {time, tzid}
}

// MarshalJSON writes {"time", "tzid"} as the API answers whatever form was sent, and a day in the
// form it was sent.
func (t eventTime) MarshalJSON() ([]byte, error) {
	text := t.instant.Format("2006-01-02T15:04:05Z")
	if t.day {
		text = t.instant.Format(time.DateOnly)
		if !t.object {
			return json.Marshal(text)
		}
	}
	return json.Marshal(struct {
		Time string `json:"time"`
		TZID string `json:"tzid"`
	}{text, t.tzid})
}

// parseEvent reads an event and notes what is wrong with it.
func parseEvent(o object) *event {
	o.only("summary", "description", "start", "end", "tzid", "location", "url", "reminders",
		"reminders_create_only", "transparency", "color", "event_private", "locale", "recurrence",
		"subscriptions", "event_classes", "attendees", "conferencing")
	for _, key := range []string{"attendees", "conferencing"} {
		if _, there := o.m[key]; there {
			o.refuse(key, "errors.not_supported", "not supported with Smart Invites")
		}
	}
	e := &event{
		Summary:             o.requiredText("summary"),
		Description:         o.text("description"),
		URL:                 o.url("url", false),
		RemindersCreateOnly: o.boolean("reminders_create_only"),
		Transparency:        o.text("transparency"),
		Color:               o.text("color"),
		EventPrivate:        o.boolean("event_private"),
		Locale:              o.text("locale"),
		Recurrence:          o.m["recurrence"],
		Subscriptions:       o.m["subscriptions"],
		EventClasses:        o.m["event_classes"],
	}
	o.limitText("summary", e.Summary, maxSummary)
	o.limitText("description", e.Description, maxDescription)
	if t := e.Transparency; t != "" && t != "opaque" && t != "transparent" {
		o.refuse("transparency", "errors.invalid", "must be opaque or transparent")
	}
	if l, ok := o.object("location"); ok {
		e.Location = parseLocation(l)
	}
	for _, r := range o.objects("reminders") {
		r.only("minutes")
		e.Reminders = append(e.Reminders, cronofy.Reminder{Minutes: r.natural("minutes")})
	}
	parseTimes(o, e)
	return e
}

func parseLocation(o object) *cronofy.Location {
	o.only("description", "lat", "long")
	l := &cronofy.Location{
		Description: o.text("description"),
		Lat:         o.coordinate("lat", 85.05115),
		Long:        o.coordinate("long", 180),
	}
	for key, other := range map[string]string{"lat": "long", "long": "lat"} {
		if o.has(other) && !o.has(key) {
			o.require(key)
		}
	}
	return l
}

func parseTimes(o object, e *event) {
	tzid := parseZone(o, o.text("tzid"))
	var startOK, endOK bool
	e.Start, startOK = parseTime(o, "start", tzid)
	e.End, endOK = parseTime(o, "end", tzid)
	switch {
	case !startOK || !endOK:
	case e.Start.day != e.End.day:
		o.refuse("end", "errors.invalid", "start and end must both be dates or both be times")
	case !e.End.instant.After(e.Start.instant):
		o.refuse("end", "errors.must_be_after_start", "must be after start")
	}
}

// parseZone notes a tzid that is no zone.
func parseZone(o object, tzid string) string {
	if _, known := zone.Load(tzid); tzid != "" && !known {
		o.refuse("tzid", "errors.unknown_tzid", "must be a time zone identifier")
	}
	return tzid
}

// timeForm is the data type Time. A space for the T comes from an official SDK and is let pass;
// fractions must be zero.
var timeForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$`)

// parseTime reads a string or an object {time, tzid}; tzid is the zone of a string.
func parseTime(o object, key, tzid string) (t eventTime, ok bool) {
	invalid := func(description string) (eventTime, bool) {
		o.refuse(key, "errors.invalid_time", description)
		return eventTime{}, false
	}
	var text string
	switch v := o.m[key].(type) {
	case nil:
		o.require(key)
		return t, false
	case string:
		text = v
	case map[string]any:
		inner := object{path: o.field(key), m: v, p: o.p}
		inner.only("time", "tzid")
		before := len(o.p)
		text, tzid = inner.requiredText("time"), parseZone(inner, inner.requiredText("tzid"))
		if len(o.p) > before {
			return t, false
		}
		t.object = true
		o, key = inner, "time"
	default:
		return invalid("must be a date, a time, or an object of time and tzid")
	}
	t.tzid = cmp.Or(tzid, "Etc/UTC")
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		t.instant, t.day = day, true
		return t, true
	}
	match := timeForm.FindStringSubmatch(text)
	if match != nil && strings.Trim(match[1], ".0") != "" {
		return invalid("must not have milliseconds")
	}
	instant, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "T", 1))
	if match == nil || err != nil {
		return invalid("must be an ISO 8601 date or time")
	}
	t.instant = instant.UTC().Truncate(time.Second)
	return t, true
}
