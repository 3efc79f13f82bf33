package mailer

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/message"
)

const fullEvent = `{
	"summary": "Board meeting", "description": "Plans\nand more.",
	"start": "2027-04-29T09:30:00Z", "end": "2027-04-29T10:00:00Z", "tzid": "Europe/London",
	"location": {"description": "Board room", "lat": "51.5", "long": "-0.1"}, "url": "https://example.com/e/1",
	"reminders": [{"minutes": 60}, {"minutes": 10}], "transparency": "opaque", "color": "#fff", "event_private": true,
	"recurrence": {"rrule": "FREQ=DAILY", "count": 2}}`

func printOf(t *testing.T, event string) string {
	t.Helper()
	var e cronofy.Event
	require.NoError(t, json.Unmarshal([]byte(event), &e))
	jane, err := address.Parse("Jane@example.com")
	require.NoError(t, err)
	return fingerprint("board-meeting", "ann@example.org", Request,
		message.Mailbox{Name: "Jane Doe", Address: jane}, &e)
}

// The fingerprint stands in ledgers for years. If this test fails, every invite
// on record would be mailed again: make it a new version instead, and teach
// decide to compare the old one.
func TestFingerprintIsPinned(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "1:dtTjp0QiIDg0pk0SJfXfLCn3B5Oj8d3qaK2akcYkzys", printOf(t, fullEvent))
	assert.Equal(t, "1:DWvUGZQflMfp_MA1a7F7-CzBiGGdS7yMaPNawzw6RMg",
		printOf(t, `{"summary": "Offsite", "start": "2027-04-29", "end": "2027-05-01"}`))
	assert.Equal(t, "1:EemMqGSSMnDi5nl6WK36FWO4ZwqPnk2R6qRurEjoAak",
		fingerprint("board-meeting", "ann@example.org", Cancel, message.Mailbox{}, nil))
}

func TestFingerprintKnowsContentFromSpelling(t *testing.T) {
	t.Parallel()
	base := printOf(t, fullEvent)
	for name, tc := range map[string]struct {
		event string
		same  bool
	}{
		"other order of names": {same: true,
			event: `{"recurrence": {"count": 2, "rrule": "FREQ=DAILY"}, "event_private": true, "color": "#fff",
				"transparency": "opaque", "reminders": [{"minutes": 60}, {"minutes": 10}],
				"url": "https://example.com/e/1", "location": {"long": "-0.1", "lat": "51.5", "description": "Board room"},
				"tzid": "Europe/London", "end": "2027-04-29T10:00:00Z", "start": "2027-04-29T09:30:00Z",
				"description": "Plans\nand more.", "summary": "Board meeting"}`},
		"times as objects": {same: true, event: fullEventWith(t,
			map[string]any{"start": map[string]any{"time": "2027-04-29T09:30:00Z", "tzid": "Europe/London"},
				"end": map[string]any{"time": "2027-04-29T10:00:00Z", "tzid": "Europe/London"}})},
		"the same instant by offset": {same: true, event: fullEventWith(t,
			map[string]any{"start": "2027-04-29T10:30:00+01:00"})},
		"another instant":  {event: fullEventWith(t, map[string]any{"start": "2027-04-29T09:31:00Z"})},
		"another zone":     {event: fullEventWith(t, map[string]any{"tzid": "Europe/Lisbon"})},
		"another language": {event: fullEventWith(t, map[string]any{"locale": "de"})},
		"another title":    {event: fullEventWith(t, map[string]any{"summary": "Board Meeting"})},
		"title and text swapped": {event: fullEventWith(t,
			map[string]any{"summary": "Plans\nand more.", "description": "Board meeting"})},
		"no place": {event: fullEventWith(t, map[string]any{"location": nil})},
		"other reminders": {event: fullEventWith(t,
			map[string]any{"reminders": []any{map[string]any{"minutes": 10}, map[string]any{"minutes": 60}}})},
		"an unknown field": {event: fullEventWith(t, map[string]any{"recurrence": "FREQ=WEEKLY"})},
		"public":           {event: fullEventWith(t, map[string]any{"event_private": false})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.same, base == printOf(t, tc.event))
		})
	}
}

func fullEventWith(t *testing.T, with map[string]any) string {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(fullEvent), &v))
	for k, value := range with {
		v[k] = value
	}
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return string(out)
}
