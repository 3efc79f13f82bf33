package cronofytest_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// Everything that the API would refuse, or would drop without a word, must be seen here.
func TestValidation(t *testing.T) {
	t.Parallel()
	event := func(o object) object { return o["event"].(object) }
	table := []struct {
		name   string
		change func(o object)
		want   map[string]string // field to key
	}{
		{"empty object", func(o object) { clear(o) }, map[string]string{
			"smart_invite_id": "errors.required", "recipient": "errors.required", "event": "errors.required",
		}},
		{
			"blank id",
			func(o object) { o["smart_invite_id"] = " " },
			map[string]string{"smart_invite_id": "errors.required"},
		},
		{
			"number for id",
			func(o object) { o["smart_invite_id"] = 7 },
			map[string]string{"smart_invite_id": "errors.must_be_string"},
		},
		{"null recipient", func(o object) { o["recipient"] = nil }, map[string]string{"recipient": "errors.required"}},
		{
			"recipient without email",
			func(o object) { o["recipient"] = object{} },
			map[string]string{"recipient.email": "errors.required"},
		},
		{
			"blank email",
			func(o object) { o["recipient"] = object{"email": ""} },
			map[string]string{"recipient.email": "errors.required"},
		},
		{
			"malformed email",
			func(o object) { o["recipient"] = object{"email": "ada at example.com"} },
			map[string]string{"recipient.email": "errors.invalid_email"},
		},
		{
			"email with name",
			func(o object) { o["recipient"] = object{"email": "Ada <ada@example.com>"} },
			map[string]string{"recipient.email": "errors.invalid_email"},
		},
		{
			"two emails",
			func(o object) { o["recipient"] = object{"email": "a@example.com, b@example.com"} },
			map[string]string{"recipient.email": "errors.invalid_email"},
		},
		{
			"recipient as string",
			func(o object) { o["recipient"] = "ada@example.com" },
			map[string]string{"recipient": "errors.must_be_object"},
		},
		{
			"recipient and recipients",
			func(o object) { o["recipients"] = []object{{"email": "a@example.com"}} },
			map[string]string{"recipients": "errors.exclusive"},
		},
		{
			"no recipients",
			func(o object) { delete(o, "recipient"); o["recipients"] = []object{} },
			map[string]string{"recipients": "errors.required"},
		},
		{"second recipient malformed", func(o object) {
			delete(o, "recipient")
			o["recipients"] = []object{{"email": "a@example.com"}, {"email": "b"}}
		}, map[string]string{"recipients[1].email": "errors.invalid_email"}},
		{"recipient twice", func(o object) {
			delete(o, "recipient")
			o["recipients"] = []object{{"email": "a@example.com"}, {"email": "A@example.com"}}
		}, map[string]string{"recipients[1].email": "errors.duplicate"}},
		{
			"recipients of strings",
			func(o object) { delete(o, "recipient"); o["recipients"] = []string{"a@example.com"} },
			map[string]string{"recipients[0]": "errors.must_be_object"},
		},
		{
			"unknown method",
			func(o object) { o["method"] = "REQUEST" },
			map[string]string{"method": "errors.unknown_method"},
		},
		{
			"callback without scheme",
			func(o object) { o["callback_url"] = "example.com/x" },
			map[string]string{"callback_url": "errors.invalid_url"},
		},
		{
			"callback by mail",
			func(o object) { o["callback_url"] = "mailto:a@example.com" },
			map[string]string{"callback_url": "errors.invalid_url"},
		},
		{
			"organizer email",
			func(o object) { o["organizer"] = object{"email": "me"} },
			map[string]string{"organizer.email": "errors.invalid_email"},
		},

		{"event as string", func(o object) { o["event"] = "x" }, map[string]string{"event": "errors.must_be_object"}},
		{"event without anything", func(o object) { clear(event(o)) }, map[string]string{
			"event.summary": "errors.required", "event.start": "errors.required", "event.end": "errors.required",
		}},
		{
			"end equals start",
			func(o object) { event(o)["end"] = event(o)["start"] },
			map[string]string{"event.end": "errors.must_be_after_start"},
		},
		{
			"end before start",
			func(o object) { event(o)["end"] = "2026-04-28T10:00:00Z" },
			map[string]string{"event.end": "errors.must_be_after_start"},
		},
		{
			"same day",
			func(o object) { event(o)["start"], event(o)["end"] = "2026-04-29", "2026-04-29" },
			map[string]string{"event.end": "errors.must_be_after_start"},
		},
		{
			"date and time",
			func(o object) { event(o)["end"] = "2026-04-30" },
			map[string]string{"event.end": "errors.invalid"},
		},
		{
			"milliseconds",
			func(o object) { event(o)["start"] = "2026-04-29T09:30:00.500Z" },
			map[string]string{"event.start": "errors.invalid_time"},
		},
		{
			"local time",
			func(o object) { event(o)["start"] = "2026-04-29T09:30:00" },
			map[string]string{"event.start": "errors.invalid_time"},
		},
		{
			"no such day",
			func(o object) { event(o)["start"] = "2026-02-30T09:30:00Z" },
			map[string]string{"event.start": "errors.invalid_time"},
		},
		{
			"number for a time",
			func(o object) { event(o)["start"] = 1777455000 },
			map[string]string{"event.start": "errors.invalid_time"},
		},
		{
			"unknown zone",
			func(o object) { event(o)["tzid"] = "Europe/Atlantis" },
			map[string]string{"event.tzid": "errors.unknown_tzid"},
		},
		{
			"the machine's zone",
			func(o object) { event(o)["tzid"] = "Local" },
			map[string]string{"event.tzid": "errors.unknown_tzid"},
		},
		{"unknown zone in object", func(o object) {
			event(o)["start"] = object{"time": "2026-04-29T09:30:00Z", "tzid": "GMT Standard Time"}
		}, map[string]string{"event.start.tzid": "errors.unknown_tzid"}},
		{"milliseconds in object", func(o object) {
			event(o)["start"] = object{"time": "2026-04-29T09:30:00.001Z", "tzid": "Europe/London"}
		}, map[string]string{"event.start.time": "errors.invalid_time"}},
		{
			"object without zone",
			func(o object) { event(o)["start"] = object{"time": "2026-04-29T09:30:00Z"} },
			map[string]string{"event.start.tzid": "errors.required"},
		},
		{
			"summary too long",
			func(o object) { event(o)["summary"] = strings.Repeat("é", 1025) },
			map[string]string{"event.summary": "errors.too_long"},
		},
		{
			"description too long",
			func(o object) { event(o)["description"] = strings.Repeat("é", 4097) },
			map[string]string{"event.description": "errors.too_long"},
		},
		{
			"attendees",
			func(o object) { event(o)["attendees"] = object{} },
			map[string]string{"event.attendees": "errors.not_supported"},
		},
		{
			"conferencing",
			func(o object) { event(o)["conferencing"] = nil },
			map[string]string{"event.conferencing": "errors.not_supported"},
		},
		{
			"transparency",
			func(o object) { event(o)["transparency"] = "glass" },
			map[string]string{"event.transparency": "errors.invalid"},
		},
		{
			"reminder without minutes",
			func(o object) { event(o)["reminders"] = []object{{}} },
			map[string]string{"event.reminders[0].minutes": "errors.required"},
		},
		{
			"reminder afterwards",
			func(o object) { event(o)["reminders"] = []object{{"minutes": -5}} },
			map[string]string{"event.reminders[0].minutes": "errors.must_be_integer"},
		},
		{
			"half a place",
			func(o object) { event(o)["location"] = object{"lat": "51.5"} },
			map[string]string{"event.location.long": "errors.required"},
		},
		{
			"number for latitude",
			func(o object) { event(o)["location"] = object{"lat": 51.5, "long": "0"} },
			map[string]string{"event.location.lat": "errors.must_be_string"},
		},
		{"off the map", func(o object) { event(o)["location"] = object{"lat": "91", "long": "NaN"} }, map[string]string{
			"event.location.lat": "errors.invalid", "event.location.long": "errors.invalid",
		}},
		{
			"relative url",
			func(o object) { event(o)["url"] = "/x" },
			map[string]string{"event.url": "errors.invalid_url"},
		},
		{
			"private as string",
			func(o object) { event(o)["event_private"] = "yes" },
			map[string]string{"event.event_private": "errors.must_be_boolean"},
		},

		{"unknown key", func(o object) { o["mail"] = object{} }, map[string]string{"mail": "errors.unknown"}},
		{"unknown keys everywhere", func(o object) {
			o["recipient"] = object{"email": "a@example.com", "name": "Ada", "tzid": "Europe/London", "locale": "en"}
			o["organizer"] = object{"email": "o@example.com", "phone": "1"}
			event(o)["event_id"] = "x"
			event(o)["location"] = object{"description": "here", "room": "7"}
			event(o)["start"] = object{"time": "2026-04-29T09:30:00Z", "tzid": "Europe/London", "day": true}
			event(o)["reminders"] = []object{{"minutes": 5, "seconds": 1}}
		}, map[string]string{
			"recipient.name": "errors.unknown", "recipient.tzid": "errors.unknown",
			"recipient.locale": "errors.unknown",
			"organizer.phone":  "errors.unknown", "event.event_id": "errors.unknown",
			"event.location.room": "errors.unknown",
			"event.start.day":     "errors.unknown", "event.reminders[0].seconds": "errors.unknown",
		}},
		{
			"keys of another case",
			func(o object) { o["Method"] = "request" },
			map[string]string{"Method": "errors.unknown"},
		},
		{"removal of several", func(o object) {
			o["method"] = "remove"
			delete(o, "recipient")
			o["recipients"] = []object{{"email": "a@example.com"}}
		}, map[string]string{"recipients": "errors.not_supported"}},
	}
	for _, row := range table {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := cronofytest.New(cronofytest.Options{})
			o := documentedObject(t)
			row.change(o)
			code, answer := post(t, s, o)
			require.Equal(t, http.StatusUnprocessableEntity, code, "%v", answer)
			require.Equal(t, []string{"errors"}, slices.Collect(maps.Keys(answer)))
			got := map[string]string{}
			for field, list := range answer["errors"].(object) {
				first := list.([]any)[0].(object)
				got[field] = first["key"].(string)
				assert.NotEmpty(t, first["description"], field)
			}
			assert.Equal(t, row.want, got)
			code, _ = status(
				t,
				s,
				url.Values{
					"smart_invite_id": {"your-unique-identifier-for-invite"},
					"recipient_email": {"cronofy@example.com"},
				},
			)
			assert.Equal(t, http.StatusNotFound, code, "a refused request must leave nothing behind")
		})
	}
}

// The limits themselves, and every field and form that the documents name, must pass.
func TestValidationLetsPass(t *testing.T) {
	t.Parallel()
	event := func(o object) object { return o["event"].(object) }
	table := map[string]func(o object){
		"as documented": func(object) {},
		"longest texts": func(o object) {
			event(o)["summary"], event(o)["description"] = strings.Repeat("é", 1024), strings.Repeat("é", 4096)
		},
		"only what is asked": func(o object) { delete(o, "method"); delete(o, "callback_url"); delete(o, "organizer") },
		"all fields": func(o object) {
			maps.Copy(event(o), object{
				"url": nil, "reminders": []object{{"minutes": 0}}, "reminders_create_only": true,
				"transparency": "opaque", "color": "#49BED8",
				"event_private": false, "subscriptions": []any{}, "locale": "en", "recurrence": object{},
				"event_classes": []string{"x"},
				"location":      object{"description": "d", "lat": "-33.8", "long": "151.2"},
			})
		},
		"dates":             func(o object) { event(o)["start"], event(o)["end"] = "2026-04-29", "2026-04-30" },
		"zero milliseconds": func(o object) { event(o)["start"] = "2026-04-29T09:30:00.000Z" },
		"space for the T":   func(o object) { event(o)["start"] = "2026-04-29 09:30:00Z" },
		"offset":            func(o object) { event(o)["start"] = "2026-04-29T10:30:00+01:00" },
		"plus in address":   func(o object) { o["recipient"] = object{"email": "a+b@example.com"} },
	}
	for name, change := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := documentedObject(t)
			change(o)
			_, text := create(t, cronofytest.New(cronofytest.Options{}), o)
			assertWellFormed(t, text, false)
		})
	}
}

// What is wrong before the fields are looked at.
func TestRefusals(t *testing.T) {
	t.Parallel()
	table := []struct {
		name, method, path, body string
		header                   http.Header
		want                     int
	}{
		{name: "no key", header: http.Header{"Authorization": nil}, want: http.StatusUnauthorized},
		{name: "empty key", header: http.Header{"Authorization": {"Bearer "}}, want: http.StatusUnauthorized},
		{name: "other scheme", header: http.Header{"Authorization": {"Basic key"}}, want: http.StatusUnauthorized},
		{name: "other key", header: http.Header{"Authorization": {"Bearer other"}}, want: http.StatusUnauthorized},
		{
			name:   "form",
			header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
			want:   http.StatusUnsupportedMediaType,
		},
		{name: "no type", header: http.Header{"Content-Type": nil}, want: http.StatusUnsupportedMediaType},
		{
			name:   "latin 1",
			header: http.Header{"Content-Type": {"application/json; charset=iso-8859-1"}},
			want:   http.StatusUnsupportedMediaType,
		},
		{name: "no body", body: " ", want: http.StatusBadRequest},
		{name: "cut", body: documented[:len(documented)-3], want: http.StatusBadRequest},
		{name: "two objects", body: documented + documented, want: http.StatusBadRequest},
		{name: "array", body: "[]", want: http.StatusBadRequest},
		{name: "null", body: "null", want: http.StatusBadRequest},
		{name: "not UTF-8", body: strings.Replace(documented, "Board room", "Caf\xe9", 1), want: http.StatusBadRequest},
		{name: "two MiB", body: documented + strings.Repeat(" ", 2<<20), want: http.StatusRequestEntityTooLarge},
		{name: "other path", path: "/v1/events", want: http.StatusNotFound},
		{name: "other method", method: http.MethodDelete, want: http.StatusMethodNotAllowed},
		{name: "below a path", path: "/proxy/cronofy/v1/smart_invites", want: http.StatusOK},
		{name: "bearer in small letters", header: http.Header{"Authorization": {"bearer key"}}, want: http.StatusOK},
		{name: "type without charset", header: http.Header{"Content-Type": {"application/json"}}, want: http.StatusOK},
	}
	for _, row := range table {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := cronofytest.New(cronofytest.Options{APIKey: "key"})
			if row.method == "" {
				row.method = http.MethodPost
			}
			if row.path == "" {
				row.path = "/v1/smart_invites"
			}
			if row.body == "" {
				row.body = documented
			}
			r, err := http.NewRequestWithContext(
				t.Context(),
				row.method,
				"http://localhost"+row.path,
				strings.NewReader(row.body),
			)
			require.NoError(t, err)
			r.Header = http.Header{"Authorization": {"Bearer key"}, "Content-Type": {"application/json; charset=utf-8"}}
			maps.Copy(r.Header, row.header)
			response, err := s.Transport().RoundTrip(r)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.Equal(t, row.want, response.StatusCode)
			assert.Equal(t, 1, s.Count())
			assert.Empty(t, s.Requests()[0].Header.Get("Authorization"), "the key must not be kept")
		})
	}
}
