package cronofy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// EventTime is a start or an end: on the wire a time in UTC, a date, or an object of a time and the
// zone it is shown in (https://docs.cronofy.com/developers/api/data-types).
type EventTime struct {
	// Time is the instant, or with DateOnly the calendar day in its own location.
	Time time.Time
	// DateOnly makes it a date, for an event that lasts whole days.
	DateOnly bool
	// TZID is the IANA name of the zone. With it the time is written as an object.
	TZID string
}

const (
	wireTime = "2006-01-02T15:04:05Z"
	wireDate = time.DateOnly
)

var (
	errEventTimeForm = errors.New("want a time such as 2026-04-29T09:30:00Z, a date such as 2026-04-29, or an " +
		"object of time and tzid")
	errEventTimeYear = errors.New("the year must be between 0 and 9999")
)

// IsZero reports whether no time is set; a zero EventTime is left out of a request.
func (t EventTime) IsZero() bool { return t.Time.IsZero() }

// MarshalJSON writes the time in UTC without fractions, which the API refuses; zero is null.
func (t EventTime) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	text := t.Time.UTC().Format(wireTime)
	year := t.Time.UTC().Year()
	if t.DateOnly {
		text, year = t.Time.Format(wireDate), t.Time.Year()
	}
	if year < 0 || year > 9999 {
		return nil, errEventTimeYear
	}
	if t.TZID == "" {
		return []byte(`"` + text + `"`), nil // nothing in it to escape
	}
	return json.Marshal(timeObject{Time: text, TZID: t.TZID})
}

// UnmarshalJSON reads every form that the API is known to write: a time with Z or any offset, a
// date, an object of either with a tzid. Time comes out in UTC, a date as its midnight there; null
// is the zero EventTime.
func (t *EventTime) UnmarshalJSON(data []byte) error {
	*t = EventTime{}
	data = bytes.TrimSpace(data)
	var object timeObject
	var err error
	switch string(data[:min(1, len(data))]) {
	case "n":
		return nil
	case `"`:
		err = json.Unmarshal(data, &object.Time)
	case "{":
		err = json.Unmarshal(data, &object)
	default:
		err = errEventTimeForm
	}
	if err != nil {
		return err
	}
	t.TZID = object.TZID
	if t.Time, err = time.Parse(wireDate, object.Time); err == nil {
		t.DateOnly = true
		return nil
	}
	// An official SDK writes a space for the T, and the API may echo it.
	t.Time, err = time.Parse(time.RFC3339, strings.Replace(object.Time, " ", "T", 1))
	if err != nil {
		err = errEventTimeForm
	} else if year := t.Time.UTC().Year(); year < 0 || year > 9999 {
		err = errEventTimeYear
	}
	if err != nil {
		*t = EventTime{}
		return fmt.Errorf("time %q: %w", object.Time, err)
	}
	t.Time = t.Time.UTC()
	return nil
}

type timeObject struct {
	Time string `json:"time"`
	TZID string `json:"tzid,omitempty"`
}
