package cronofytest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	ics "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// The example of the API page gets the answer of the API page: {time, tzid} for times, and
// neither method nor organizer.
func TestDocumentedAnswer(t *testing.T) {
	t.Parallel()
	answer, text := create(t, cronofytest.New(cronofytest.Options{}), documented)
	assert.True(t, strings.HasPrefix(text, "BEGIN:VCALENDAR\nVERSION:2.0\n"))
	delete(answer, "attachments")
	got, err := json.Marshal(answer)
	require.NoError(t, err)
	assert.JSONEq(t, `{
	  "recipient": { "email": "cronofy@example.com", "status": "pending" },
	  "smart_invite_id": "your-unique-identifier-for-invite",
	  "callback_url": "https://yourapp.example.com/cronofy/smart_invite/notifications",
	  "event": {
	    "summary": "Board meeting",
	    "description": "Discuss plans for the next quarter.",
	    "start": { "time": "2026-04-29T09:30:00Z", "tzid": "Europe/London" },
	    "end": { "time": "2026-04-29T10:00:00Z", "tzid": "Europe/London" },
	    "location": { "description": "Board room" }
	  }
	}`, string(got))
}

func TestTimesInAnswers(t *testing.T) {
	t.Parallel()
	object2 := func(time, tzid string) object { return object{"time": time, "tzid": tzid} }
	table := []struct {
		name       string
		start, end any
		tzid       any
		want       any
		property   string
	}{
		{
			"string",
			"2026-04-29T09:30:00Z",
			"2026-04-29T10:00:00Z",
			nil,
			object2("2026-04-29T09:30:00Z", "Etc/UTC"),
			"DTSTART:20260429T093000Z",
		},
		{
			"string and zone",
			"2026-04-29T09:30:00Z",
			"2026-04-29T10:00:00Z",
			"Asia/Kolkata",
			object2("2026-04-29T09:30:00Z", "Asia/Kolkata"),
			"DTSTART;TZID=Asia/Kolkata:20260429T150000",
		},
		{
			"string with offset",
			"2026-04-29T09:30:00+02:00",
			"2026-04-29T10:00:00Z",
			nil,
			object2("2026-04-29T07:30:00Z", "Etc/UTC"),
			"DTSTART:20260429T073000Z",
		},
		{"date", "2026-04-29", "2026-04-30", "Europe/London", "2026-04-29", "DTSTART;VALUE=DATE:20260429"},
		{
			"object",
			object2("2026-04-29T09:30:00Z", "Europe/Paris"),
			"2026-04-29T10:00:00Z",
			nil,
			object2("2026-04-29T09:30:00Z", "Europe/Paris"),
			"DTSTART;TZID=Europe/Paris:20260429T113000",
		},
		{
			"object over zone",
			object2("2026-04-29T09:30:00Z", "Europe/Paris"),
			"2026-04-29T10:00:00Z",
			"Asia/Tokyo",
			object2("2026-04-29T09:30:00Z", "Europe/Paris"),
			"DTSTART;TZID=Europe/Paris:20260429T113000",
		},
		{
			"date in object",
			object2("2026-04-29", "Europe/Paris"),
			object2("2026-04-30", "Europe/Paris"),
			nil,
			object2("2026-04-29", "Europe/Paris"),
			"DTSTART;VALUE=DATE:20260429",
		},
		{
			"hour shown twice",
			"2026-10-25T00:30:00Z",
			"2026-10-25T03:00:00Z",
			"Europe/London",
			object2("2026-10-25T00:30:00Z", "Europe/London"),
			"DTSTART:20261025T003000Z",
		},
	}
	for _, row := range table {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := documentedObject(t)
			o["event"] = object{"summary": "s", "start": row.start, "end": row.end, "tzid": row.tzid}
			answer, text := create(t, cronofytest.New(cronofytest.Options{}), o)
			assert.Equal(t, row.want, answer["event"].(object)["start"])
			assert.NotContains(t, answer["event"], "tzid")
			assert.Contains(t, lines(text), row.property)
		})
	}
}

// A reader of calendars takes the higher SEQUENCE, then the newer DTSTAMP (RFC 5546 §2.1.5), for
// the same UID.
func TestRevisions(t *testing.T) {
	t.Parallel()
	s := cronofytest.New(cronofytest.Options{Now: noon})
	cancel := object{"method": "cancel", "recipient": object{"email": "Cronofy@Example.com"}, "smart_invite_id": id}
	changed := func(f func(o object)) object { o := documentedObject(t); f(o); return o }
	steps := []struct {
		name     string
		body     any
		sequence string
		method   string
	}{
		{"new", documented, "0", "REQUEST"},
		{"the same again", documented, "0", "REQUEST"},
		{"times in another form", changed(func(o object) {
			e := o["event"].(object)
			e["start"], e["end"] = object{
				"time": e["start"],
				"tzid": e["tzid"],
			}, object{
				"time": e["end"],
				"tzid": e["tzid"],
			}
		}), "0", "REQUEST"},
		{
			"another callback only",
			changed(func(o object) { o["callback_url"] = "https://example.com" }),
			"0",
			"REQUEST",
		},
		{
			"another summary",
			changed(func(o object) { o["event"].(object)["summary"] = "Bored meeting" }),
			"1",
			"REQUEST",
		},
		{"another organizer", changed(func(o object) { delete(o, "organizer") }), "2", "REQUEST"},
		{"cancelled", cancel, "3", "CANCEL"},
		{"cancelled again", cancel, "3", "CANCEL"},
		{"invited again", changed(func(o object) { delete(o, "organizer") }), "4", "REQUEST"},
	}
	var uid, stamp string
	for _, step := range steps {
		_, text := create(t, s, step.body)
		assert.Contains(t, lines(text), "METHOD:"+step.method, step.name)
		assert.Equal(t, step.sequence, property(t, text, ics.ComponentPropertySequence), step.name)
		assert.Greater(
			t,
			property(t, text, ics.ComponentPropertyDtstamp),
			stamp,
			"%s: DTSTAMP must be newer",
			step.name,
		)
		if uid != "" {
			assert.Equal(t, uid, property(t, text, ics.ComponentPropertyUniqueId), step.name)
		}
		uid, stamp = property(t, text, ics.ComponentPropertyUniqueId), property(t, text, ics.ComponentPropertyDtstamp)
	}
	assert.NotContains(t, uid, "@")
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, uid)

	other := documentedObject(t)
	other["recipient"] = object{"email": "other@example.com"}
	_, text := create(t, s, other)
	assert.Equal(t, "0", property(t, text, ics.ComponentPropertySequence), "the id is shared, the invite is not")
	assert.NotEqual(t, uid, property(t, text, ics.ComponentPropertyUniqueId))
}

// A cancellation repeats the event and the organizer, which its request does not name.
func TestCancelAnswer(t *testing.T) {
	t.Parallel()
	s := cronofytest.New(cronofytest.Options{})
	code, _ := post(t, s, object{"method": "cancel", "recipient": object{"email": email}, "smart_invite_id": id})
	require.Equal(t, http.StatusNotFound, code)
	created, _ := create(t, s, documented)
	cancelled, text := create(
		t,
		s,
		object{"method": "cancel", "recipient": object{"email": email}, "smart_invite_id": id},
	)
	delete(created, "attachments")
	delete(cancelled, "attachments")
	assert.Equal(t, created, cancelled)
	assert.Contains(t, lines(text), "STATUS:CANCELLED")
	assert.Contains(t, text, "ORGANIZER;CN=Smart invite application:mailto:organizer@myapplication.com")
	require.Len(t, vevent(t, text).Attendees(), 1)
	require.ErrorContains(t, setStatus(s, id, email, "accepted", ""), "cancelled")
}

func several(emails ...string) []object {
	var list []object
	for _, e := range emails {
		list = append(list, object{"email": e})
	}
	return list
}

// One invite for several has one calendar that names them all; the list given last is who is
// invited.
func TestSeveralRecipients(t *testing.T) {
	t.Parallel()
	s := cronofytest.New(cronofytest.Options{Now: noon})
	o := documentedObject(t)
	delete(o, "recipient")
	invite := func(emails ...string) (object, string) {
		o["recipients"] = several(emails...)
		return create(t, s, o)
	}
	attendees := func(text string) []string {
		var list []string
		for _, a := range vevent(t, text).Attendees() {
			list = append(list, a.Email())
		}
		return list
	}
	remove := func(email string) (int, object) {
		return post(t, s, object{"method": "remove", "recipient": object{"email": email}, "smart_invite_id": id})
	}
	cancel := func(emails ...string) (int, object) {
		return post(t, s, object{"method": "cancel", "recipients": several(emails...), "smart_invite_id": id})
	}

	answer, text := invite("a@example.com", "b@example.com")
	assert.NotContains(t, answer, "recipient")
	assert.Equal(
		t,
		[]any{
			object{"email": "a@example.com", "status": "pending"},
			object{"email": "b@example.com", "status": "pending"},
		},
		answer["recipients"],
	)
	assert.Equal(t, []string{"a@example.com", "b@example.com"}, attendees(text))
	uid := property(t, text, ics.ComponentPropertyUniqueId)

	_, text = invite("b@example.com", "a@example.com")
	assert.Equal(t, "0", property(t, text, ics.ComponentPropertySequence), "another order is no change")
	require.NoError(t, setStatus(s, id, "B@example.com", "accepted", "fine"))
	answer, text = invite("b@example.com", "c@example.com", "d@example.com")
	assert.Equal(t, "1", property(t, text, ics.ComponentPropertySequence))
	assert.Equal(t, uid, property(t, text, ics.ComponentPropertyUniqueId))
	assert.Equal(
		t,
		object{"email": "b@example.com", "status": "accepted", "comment": "fine"},
		answer["recipients"].([]any)[0],
	)
	assert.Contains(t, text, "PARTSTAT=ACCEPTED")

	code, _ := remove("a@example.com")
	assert.Equal(t, http.StatusNotFound, code)
	code, answer = remove("c@example.com")
	require.Equal(t, http.StatusOK, code)
	assert.Equal(t, object{"email": "c@example.com"}, answer["attachments"].(object)["removed"])
	assert.Len(t, answer["recipients"], 2)
	text = answer["attachments"].(object)["icalendar"].(string)
	assert.Equal(t, []string{"b@example.com", "d@example.com"}, attendees(text))
	assert.Equal(t, "2", property(t, text, ics.ComponentPropertySequence))
	assert.Contains(t, lines(text), "METHOD:REQUEST")

	code, _ = status(t, s, url.Values{"smart_invite_id": {id}, "recipient_email": {"b@example.com"}})
	assert.Equal(t, http.StatusNotFound, code, "the address is left out for several")
	code, answer = status(t, s, url.Values{"smart_invite_id": {id}})
	require.Equal(t, http.StatusOK, code)
	assert.Len(t, answer["recipients"], 2)
	assert.NotContains(t, answer, "replies")
	assert.NotContains(t, answer, "attachments")

	code, _ = cancel("b@example.com")
	assert.Equal(t, http.StatusUnprocessableEntity, code, "a part of them is what remove is for")
	code, _ = cancel("b@example.com", "x@example.com")
	assert.Equal(t, http.StatusNotFound, code)
	code, _ = remove("d@example.com")
	assert.Equal(t, http.StatusOK, code)
	code, _ = remove("b@example.com")
	assert.Equal(t, http.StatusUnprocessableEntity, code, "none would be left")
	code, answer = cancel("b@example.com")
	require.Equal(t, http.StatusOK, code)
	text = answer["attachments"].(object)["icalendar"].(string)
	assert.Equal(t, "4", property(t, text, ics.ComponentPropertySequence))
	assert.Contains(t, lines(text), "STATUS:CANCELLED")
	code, _ = remove("b@example.com")
	assert.Equal(t, http.StatusNotFound, code)
}

const (
	id    = "your-unique-identifier-for-invite"
	email = "cronofy@example.com"
)

// Requests are kept for assertions; a long run keeps the last of them.
func TestRequests(t *testing.T) {
	t.Parallel()
	s := cronofytest.New(cronofytest.Options{Now: noon})
	for range 9 {
		create(t, s, documented)
	}
	status(t, s, url.Values{"smart_invite_id": {id}, "recipient_email": {email}})
	assert.Equal(t, 10, s.Count())
	requests := s.Requests()
	require.Len(t, requests, 10)
	for i, r := range requests {
		assert.Equal(t, i+1, r.N)
		assert.Equal(t, id, r.ID)
		assert.Equal(t, []string{email}, r.Recipients)
		assert.Equal(t, noon(), r.At)
		assert.NotContains(t, r.Header, "Authorization")
		if r.N == 10 {
			assert.Equal(t, []string{"GET", "status"}, []string{r.Method, r.Action})
		} else {
			assert.Equal(t, []string{"POST", "request"}, []string{r.Method, r.Action})
			assert.Equal(t, "Board meeting", r.Body["event"].(object)["summary"])
			assert.Equal(t, "/v1/smart_invites", r.Path)
		}
	}
	for range 2500 {
		status(t, s, url.Values{"smart_invite_id": {id}, "recipient_email": {email}})
	}
	requests = s.Requests()
	require.Len(t, requests, 1000)
	assert.Equal(t, []int{1511, 2510}, []int{requests[0].N, requests[999].N})
	assert.Equal(t, 2510, s.Count())
}

// An organizer that gave way to another one may still be answered.
func TestOrganizers(t *testing.T) {
	t.Parallel()
	s := cronofytest.New(cronofytest.Options{})
	assert.Empty(t, s.Organizers())
	for _, organizer := range []string{"jane@example.com", "Bob@example.com", "jane@example.com"} {
		create(t, s, strings.Replace(documented, "organizer@myapplication.com", organizer, 1))
	}
	require.Len(t, s.Invites(), 1)
	assert.Equal(t, []string{"Bob@example.com", "jane@example.com"}, s.Organizers())
}
