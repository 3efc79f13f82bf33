package cronofy

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Both time forms, in both directions.
func TestEventTime(t *testing.T) {
	t.Parallel()
	half := time.Date(2026, 4, 29, 9, 30, 0, 0, time.UTC)
	day := time.Date(2026, 4, 29, 0, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		in   string
		want EventTime
		out  string // "" when it is written as it was read
	}{
		"UTC":         {`"2026-04-29T09:30:00Z"`, EventTime{Time: half}, ""},
		"offset":      {`"2026-04-29T11:30:00+02:00"`, EventTime{Time: half}, `"2026-04-29T09:30:00Z"`},
		"no fraction": {`"2026-04-29T09:30:00.000Z"`, EventTime{Time: half}, `"2026-04-29T09:30:00Z"`},
		"fraction": {
			`"2026-04-29T09:30:00.999Z"`,
			EventTime{Time: half.Add(999 * time.Millisecond)},
			`"2026-04-29T09:30:00Z"`,
		},
		"space for T": {`"2026-04-29 09:30:00Z"`, EventTime{Time: half}, `"2026-04-29T09:30:00Z"`},
		"date":        {`"2026-04-29"`, EventTime{Time: day, DateOnly: true}, ""},
		"object": {
			`{"time":"2026-04-29T09:30:00Z","tzid":"Europe/London"}`,
			EventTime{Time: half, TZID: "Europe/London"},
			"",
		},
		"object, offset": {
			`{"time":"2026-04-29T10:30:00+01:00","tzid":"Europe/London"}`,
			EventTime{Time: half, TZID: "Europe/London"},
			`{"time":"2026-04-29T09:30:00Z","tzid":"Europe/London"}`,
		},
		"object, date": {
			`{"time":"2026-04-29","tzid":"Europe/London"}`,
			EventTime{Time: day, DateOnly: true, TZID: "Europe/London"},
			"",
		},
		"object, no zone": {`{"time":"2026-04-29T09:30:00Z","new":1}`, EventTime{Time: half}, `"2026-04-29T09:30:00Z"`},
		"null":            {`null`, EventTime{}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got EventTime
			require.NoError(t, json.Unmarshal([]byte(test.in), &got))
			assert.Equal(t, test.want, got)
			out, err := json.Marshal(got)
			require.NoError(t, err)
			if test.out == "" {
				test.out = test.in
			}
			assert.Equal(t, test.out, string(out))
		})
	}
}

func TestEventTimeRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`""`, `"2026-04-29T09:30:00"`, `"2026-13-29"`, `"2026-02-30T09:30:00Z"`, `"29/04/2026"`, `1777455000`,
		`true`, `[]`, `{}`, `{"time":null}`, `{"time":5}`, `"0000-01-01T00:00:00+01:00"`, `"9999-12-31T23:59:59-01:00"`,
	} {
		var got EventTime
		require.Error(t, json.Unmarshal([]byte(in), &got), in)
		assert.Equal(t, EventTime{}, got, in)
	}
}

// A date is the day where its time is, not the day in UTC.
func TestDateKeepsItsDay(t *testing.T) {
	t.Parallel()
	auckland := time.FixedZone("NZST", 12*60*60)
	out, err := json.Marshal(EventTime{Time: time.Date(2026, 4, 29, 1, 0, 0, 0, auckland), DateOnly: true})
	require.NoError(t, err)
	assert.JSONEq(t, `"2026-04-29"`, string(out))
}

// Whatever is written is read back as the same time.
func TestEventTimeRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		offset := rapid.IntRange(-14*60, 14*60).Draw(t, "offset in minutes")
		want := EventTime{
			Time: time.Unix(rapid.Int64Range(0, 253370764800).Draw(t, "seconds"), rapid.Int64Range(0,
				999_999_999).Draw(t, "ns")).
				In(time.FixedZone("", offset*60)),
			DateOnly: rapid.Bool().Draw(t, "date"),
			TZID:     rapid.SampledFrom([]string{"", "Europe/London"}).Draw(t, "zone"),
		}
		out, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got EventTime
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if got.DateOnly != want.DateOnly || got.TZID != want.TZID {
			t.Fatalf("%s became %+v", out, got)
		}
		if want.DateOnly && got.Time.Format(time.DateOnly) != want.Time.Format(time.DateOnly) ||
			!want.DateOnly && !got.Time.Equal(want.Time.Truncate(time.Second)) {
			t.Fatalf("%v became %v", want.Time, got.Time)
		}
	})
}

// Every field that the documents name, written and read back, with those that
// they do not name.
func TestEventFields(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	event := Event{
		Summary: "S", Description: "D",
		Start: EventTime{Time: time.Date(2026, 4, 29, 0, 0, 0, 0, time.UTC), DateOnly: true},
		End:   EventTime{Time: time.Date(2026, 4, 29, 10, 0, 0, 0, time.UTC), TZID: "Europe/London"},
		TZID:  "Europe/London", Location: &Location{Description: "L", Lat: "51.5", Long: "-0.1"},
		URL: "https://example.com",
		Reminders: []Reminder{
			{Minutes: 60},
			{Minutes: 0},
		}, RemindersCreateOnly: &yes, Transparency: "opaque", Color: "#49BED8",
		EventPrivate: &no, Locale: "en",
		Extra: map[string]json.RawMessage{"zeta": json.RawMessage(`{"a":[1]}`), "alpha": json.RawMessage(`null`)},
	}
	out, err := json.Marshal(event)
	require.NoError(t, err)
	assert.Equal(
		t,
		`{"summary":"S","description":"D","start":"2026-04-29","end":{"time":"2026-04-29T10:00:00Z",`+
			`"tzid":"Europe/London"},`+
			`"tzid":"Europe/London","location":{"description":"L","lat":"51.5","long":"-0.1"},`+
			`"url":"https://example.com",`+
			`"reminders":[{"minutes":60},{"minutes":0}],"reminders_create_only":true,"transparency":"opaque",`+
			`"color":"#49BED8",`+
			`"event_private":false,"locale":"en","alpha":null,"zeta":{"a":[1]}}`,
		string(out),
	)
	var got Event
	require.NoError(t, json.Unmarshal(out, &got))
	assert.Equal(t, event, got)
}

func TestEventJSON(t *testing.T) {
	t.Parallel()
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	for name, test := range map[string]struct {
		event Event
		want  string
	}{
		"nothing set": {Event{}, `{}`},
		"extra alone": {Event{Extra: map[string]json.RawMessage{"a": raw(`1`), "b": nil}}, `{"a":1,"b":null}`},
		"null clears a field": {Event{Summary: "S", Extra: map[string]json.RawMessage{"url": raw(`null`)}},
			`{"summary":"S","url":null}`},
		"no reminders":       {Event{Reminders: []Reminder{}}, `{"reminders":[]}`},
		"text outside ASCII": {Event{Summary: "Réunion \"Ω\" <b>"}, `{"summary":"Réunion \"Ω\" <b>"}`},
	} {
		out, err := json.Marshal(test.event)
		require.NoError(t, err, name)
		assert.JSONEq(t, test.want, string(out), name)
	}
	_, err := json.Marshal(Event{Extra: map[string]json.RawMessage{"a": raw(`{`)}})
	require.Error(t, err, "broken JSON in Extra must not break the whole request")
	_, err = json.Marshal(Event{Extra: map[string]json.RawMessage{"a": raw(`1,"summary":"smuggled"`)}})
	require.Error(t, err, "a value must not bring further fields")
}

// A caller's own record is read strictly: all that is wrong is named.
func TestEventRefuses(t *testing.T) {
	t.Parallel()
	var event Event
	err := json.Unmarshal([]byte(`{"summary":5,"start":"soon","location":"here","reminders":{},"url":null}`), &event)
	require.Error(t, err)
	for _, field := range []string{"event.summary", "event.start", "event.location", "event.reminders"} {
		assert.ErrorContains(t, err, field)
	}
	assert.NotContains(t, err.Error(), "event.url")
	require.Error(t, json.Unmarshal([]byte(`"text"`), &event))
}

func TestCoordinatesMayBeNumbers(t *testing.T) {
	t.Parallel()
	var location Location
	require.NoError(t, json.Unmarshal([]byte(`{"lat":51.500729,"long":-0.124625}`), &location))
	assert.Equal(t, Location{Lat: "51.500729", Long: "-0.124625"}, location)
	require.NoError(t, json.Unmarshal([]byte(`{"description":null,"lat":null,"long":"-0.1"}`), &location))
	assert.Equal(t, Location{Long: "-0.1"}, location)
	require.Error(t, json.Unmarshal([]byte(`{"lat":true}`), &location))
}
