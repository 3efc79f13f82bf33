package cronofy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Event is what a recipient is invited to: the fields of the API's "create or update event" that
// Smart Invites take.
type Event struct {
	// Summary is the title: at most 1,024 characters.
	Summary string `json:"summary,omitempty"`
	// Description is plain text: at most 4,096 characters.
	Description string `json:"description,omitempty"`
	// Start and End are required by the API.
	Start EventTime `json:"start,omitzero"`
	End   EventTime `json:"end,omitzero"`
	// TZID is the IANA time zone of both ends.
	TZID     string    `json:"tzid,omitempty"`
	Location *Location `json:"location,omitempty"`
	URL      string    `json:"url,omitempty"`
	// Reminders stand in order of priority. An empty list that is not nil is sent as such.
	Reminders []Reminder `json:"reminders,omitzero"`
	// RemindersCreateOnly keeps an update from touching reminders.
	RemindersCreateOnly *bool `json:"reminders_create_only,omitempty"`
	// Transparency is "opaque" (the time is taken) or "transparent".
	Transparency string `json:"transparency,omitempty"`
	Color        string `json:"color,omitempty"`
	// EventPrivate marks the event as private.
	EventPrivate *bool  `json:"event_private,omitempty"`
	Locale       string `json:"locale,omitempty"`
	// Extra holds the fields that this package does not know, by name, and is passed through both
	// ways. A field that is not set above may be given here, such as null to clear a URL.
	Extra map[string]json.RawMessage `json:"-"`
}

// Reminder is one alarm before the start.
type Reminder struct {
	Minutes int `json:"minutes"`
}

// Location is where the event takes place.
type Location struct {
	Description string `json:"description,omitempty"`
	// Lat and Long are decimal degrees, strings as on the wire, and belong together. When reading,
	// numbers are taken too.
	Lat  string `json:"lat,omitempty"`
	Long string `json:"long,omitempty"`
}

// UnmarshalJSON reads a location, with coordinates as strings or numbers.
func (l *Location) UnmarshalJSON(data []byte) error {
	var wire struct {
		Description string     `json:"description"`
		Lat         coordinate `json:"lat"`
		Long        coordinate `json:"long"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	*l = Location{Description: wire.Description, Lat: string(wire.Lat), Long: string(wire.Long)}
	return nil
}

// coordinate is a string that may come as a number.
type coordinate string

func (c *coordinate) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && (data[0] == '-' || data[0] >= '0' && data[0] <= '9') {
		*c = coordinate(data)
		return nil
	}
	return json.Unmarshal(data, (*string)(c))
}

// plainEvent is Event without its methods, for encoding/json.
type plainEvent Event

// MarshalJSON writes the fields that are set, then Extra in the order of its names.
func (e Event) MarshalJSON() ([]byte, error) {
	known, err := json.Marshal(plainEvent(e))
	if err != nil || len(e.Extra) == 0 {
		return known, err
	}
	var set map[string]json.RawMessage
	if err := json.Unmarshal(known, &set); err != nil {
		return nil, err
	}
	for name, value := range e.Extra {
		if _, ok := set[name]; ok {
			return nil, fmt.Errorf("event.%s is set twice: as a field and in Extra", name)
		}
		// A value such as `1,"summary":"x"` must not add a field.
		if value != nil && !json.Valid(value) {
			return nil, fmt.Errorf("event.%s: the value in Extra is not JSON", name)
		}
	}
	extra, err := json.Marshal(e.Extra)
	if err != nil {
		return nil, err
	}
	if len(set) == 0 {
		return extra, nil
	}
	return slices.Concat(bytes.TrimSuffix(known, []byte("}")), []byte(","), extra[1:]), nil
}

// UnmarshalJSON reads an event. Names are compared exactly, and null counts as absent.
func (e *Event) UnmarshalJSON(data []byte) error { return errors.Join(e.read(data)...) }

// echoedEvent is an Event in an answer.
type echoedEvent Event

// UnmarshalJSON reads what it can.
func (e *echoedEvent) UnmarshalJSON(data []byte) error {
	(*Event)(e).read(data)
	return nil
}

// read returns what it cannot read, and keeps it in Extra.
func (e *Event) read(data []byte) []error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return []error{fmt.Errorf("event: %w", err)}
	}
	*e = Event{}
	var problems []error
	fields := e.fields()
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if target := fields[name]; target != nil {
			err := json.Unmarshal(object[name], target)
			if err == nil {
				continue
			}
			problems = append(problems, fmt.Errorf("event.%s: %w", name, err))
			reflect.ValueOf(target).Elem().SetZero()
		}
		if e.Extra == nil {
			e.Extra = make(map[string]json.RawMessage)
		}
		e.Extra[name] = object[name]
	}
	return problems
}

// fields are pointers to the fields by their JSON names.
func (e *Event) fields() map[string]any {
	return map[string]any{
		"summary":               &e.Summary,
		"description":           &e.Description,
		"start":                 &e.Start,
		"end":                   &e.End,
		"tzid":                  &e.TZID,
		"location":              &e.Location,
		"url":                   &e.URL,
		"reminders":             &e.Reminders,
		"reminders_create_only": &e.RemindersCreateOnly,
		"transparency":          &e.Transparency,
		"color":                 &e.Color,
		"event_private":         &e.EventPrivate,
		"locale":                &e.Locale,
	}
}
