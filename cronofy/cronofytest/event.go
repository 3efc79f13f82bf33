package cronofytest

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Limits of create-or-update-event, in code points.
const (
	maxSummary     = 1024
	maxDescription = 4096
)

// event is what the API knows of an event, in the form in which it answers.
type event struct {
	Summary             string     `json:"summary"`
	Description         string     `json:"description,omitempty"`
	Start               eventTime  `json:"start"`
	End                 eventTime  `json:"end"`
	Location            *location  `json:"location,omitempty"`
	URL                 string     `json:"url,omitempty"`
	Reminders           []reminder `json:"reminders,omitempty"`
	RemindersCreateOnly *bool      `json:"reminders_create_only,omitempty"`
	Transparency        string     `json:"transparency,omitempty"`
	Color               string     `json:"color,omitempty"`
	EventPrivate        *bool      `json:"event_private,omitempty"`
	Locale              string     `json:"locale,omitempty"`
	Recurrence          any        `json:"recurrence,omitempty"`
	Subscriptions       any        `json:"subscriptions,omitempty"`
	EventClasses        any        `json:"event_classes,omitempty"`
}

type location struct {
	Description string `json:"description,omitempty"`
	Lat         string `json:"lat,omitempty"`
	Long        string `json:"long,omitempty"`
}

type reminder struct {
	Minutes int32 `json:"minutes"`
}

// eventTime is an instant with the zone to show it in, or a day.
type eventTime struct {
	instant time.Time // midnight UTC of a day
	tzid    string
	day     bool
	object  bool // a day that was given as {time, tzid}
}

// MarshalJSON writes {"time", "tzid"} as the API answers whatever form was sent, and a day in the form it was sent.
func (t eventTime) MarshalJSON() ([]byte, error) {
	layout := "2006-01-02T15:04:05Z"
	if t.day {
		layout = time.DateOnly
	}
	b := make([]byte, 0, 64)
	if t.day && !t.object {
		return strconv.AppendQuote(b, t.instant.Format(layout)), nil
	}
	b = append(b, `{"time":"`...)
	b = t.instant.AppendFormat(b, layout)
	b = append(b, `","tzid":`...)
	b = strconv.AppendQuote(b, t.tzid)
	return append(b, '}'), nil
}

// parseEvent reads an event and notes what is wrong with it.
func (s *Server) parseEvent(o object) *event {
	o.only("summary", "description", "start", "end", "tzid", "location", "url", "reminders", "reminders_create_only", "transparency",
		"color", "event_private", "locale", "recurrence", "subscriptions", "event_classes", "attendees", "conferencing")
	for _, key := range []string{"attendees", "conferencing"} {
		if _, there := o.m[key]; there {
			o.p.add(o.field(key), "errors.not_supported", "not supported with Smart Invites")
		}
	}
	e := &event{
		Summary:             o.requiredText("summary"),
		Description:         o.text("description"),
		URL:                 parseURL(o, "url"),
		RemindersCreateOnly: o.boolean("reminders_create_only"),
		Transparency:        o.text("transparency"),
		Color:               o.text("color"),
		EventPrivate:        o.boolean("event_private"),
		Locale:              o.text("locale"),
		Recurrence:          o.m["recurrence"],
		Subscriptions:       o.m["subscriptions"],
		EventClasses:        o.m["event_classes"],
	}
	o.limitedText("summary", e.Summary, maxSummary)
	o.limitedText("description", e.Description, maxDescription)
	if t := e.Transparency; t != "" && t != "opaque" && t != "transparent" {
		o.p.add(o.field("transparency"), "errors.invalid", "must be opaque or transparent")
	}
	e.Location = parseLocation(o)
	e.Reminders = parseReminders(o)
	s.parseTimes(o, e)
	return e
}

func (s *Server) parseTimes(o object, e *event) {
	tzid := o.text("tzid")
	if tzid != "" && s.zones.load(tzid) == nil {
		o.p.add(o.field("tzid"), "errors.unknown_tzid", "must be a time zone identifier")
	}
	start, startOK := s.parseTime(o, "start", tzid)
	end, endOK := s.parseTime(o, "end", tzid)
	if startOK && endOK {
		switch {
		case start.day != end.day:
			o.p.add(o.field("end"), "errors.invalid", "start and end must both be dates or both be times")
		case !end.instant.After(start.instant):
			o.p.add(o.field("end"), "errors.must_be_after_start", "must be after start")
		}
	}
	e.Start, e.End = start, end
}

// timeForm is the data type Time. A space for the T comes from an official SDK and is let pass; fractions must be zero.
var timeForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$`)

// parseTime reads a string or an object {time, tzid}; tzid is the zone of a string.
func (s *Server) parseTime(o object, key, tzid string) (t eventTime, ok bool) {
	field := o.field(key)
	var text string
	switch v := o.m[key].(type) {
	case nil:
		o.p.required(field)
		return t, false
	case string:
		text = v
	case map[string]any:
		inner := object{path: field, m: v, p: o.p}
		inner.only("time", "tzid")
		before := len(o.p)
		text, tzid = inner.requiredText("time"), inner.requiredText("tzid")
		if tzid != "" && s.zones.load(tzid) == nil {
			o.p.add(inner.field("tzid"), "errors.unknown_tzid", "must be a time zone identifier")
		}
		if len(o.p) > before {
			return t, false
		}
		t.object = true
		field = inner.field("time")
	default:
		o.p.add(field, "errors.invalid_time", "must be a date, a time, or an object of time and tzid")
		return t, false
	}
	if tzid == "" {
		tzid = "Etc/UTC"
	}
	t.tzid = tzid
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		t.instant, t.day = day, true
		return t, true
	}
	match := timeForm.FindStringSubmatch(text)
	if match == nil {
		o.p.add(field, "errors.invalid_time", "must be an ISO 8601 date or time")
		return t, false
	}
	if strings.Trim(match[1], ".0") != "" {
		o.p.add(field, "errors.invalid_time", "must not have milliseconds")
		return t, false
	}
	instant, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "T", 1))
	if err != nil {
		o.p.add(field, "errors.invalid_time", "must be an ISO 8601 date or time")
		return t, false
	}
	t.instant = instant.UTC().Truncate(time.Second)
	return t, true
}

func parseLocation(o object) *location {
	l, ok := o.object("location")
	if !ok {
		return nil
	}
	l.only("description", "lat", "long")
	lat := l.coordinate("lat", 85.05115)
	long := l.coordinate("long", 180)
	if l.has("lat") != l.has("long") {
		for _, key := range []string{"lat", "long"} {
			if !l.has(key) {
				l.p.required(l.field(key))
			}
		}
	}
	return &location{Description: l.text("description"), Lat: lat, Long: long}
}

// coordinate returns a decimal number, which the API takes as a string.
func (o object) coordinate(key string, limit float64) string {
	v := o.text(key)
	if v == "" {
		return ""
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || !(n >= -limit && n <= limit) || strings.Trim(v, "+-.0123456789") != "" {
		o.p.add(o.field(key), "errors.invalid", "must be decimal degrees")
	}
	return v
}

func parseReminders(o object) []reminder {
	var reminders []reminder
	for i, v := range o.list("reminders") {
		path := o.field("reminders") + "[" + strconv.Itoa(i) + "]"
		m, ok := v.(map[string]any)
		if !ok {
			o.p.add(path, "errors.must_be_object", "must be an object")
			continue
		}
		r := object{path: path, m: m, p: o.p}
		r.only("minutes")
		reminders = append(reminders, reminder{Minutes: r.natural("minutes")})
	}
	return reminders
}

// canonical is a form of the event that is equal for equal events.
func (e *event) canonical() []byte {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(e); err != nil {
		return nil // cannot be: everything in it was read from JSON
	}
	return b.Bytes()
}
