package cronofytest_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	s := cronofytest.New(cronofytest.Options{})
	query := url.Values{"smart_invite_id": {id}, "recipient_email": {email}}
	code, _ := status(t, s, query)
	require.Equal(t, http.StatusNotFound, code)
	_, created := create(t, s, documented)

	code, answer := status(t, s, query)
	require.Equal(t, http.StatusOK, code)
	assert.NotContains(t, answer, "attachments")
	assert.Equal(t, []any{}, answer["replies"])
	query.Set("include_ics", "true")
	_, answer = status(t, s, query)
	assert.Equal(t, created, answer["attachments"].(object)["icalendar"], "asking changes nothing")

	start := time.Date(2026, 5, 1, 21, 0, 0, 0, time.UTC)
	require.NoError(t, setStatus(s, id, email, "declined", "no"))
	require.NoError(
		t,
		setStatus(
			s,
			id,
			email,
			"tentative",
			"later?",
			cronofytest.Proposal{Start: start, End: start.Add(time.Hour), TZID: "Europe/Paris"},
		),
	)
	_, answer = status(t, s, query)
	reply := object{
		"email": email, "status": "tentative", "comment": "later?",
		"proposal": object{
			"start": object{"time": "2026-05-01T23:00:00+02:00", "tzid": "Europe/Paris"},
			"end":   object{"time": "2026-05-02T00:00:00+02:00", "tzid": "Europe/Paris"},
		},
	}
	assert.Equal(t, reply, answer["recipient"])
	assert.Equal(t, []any{reply}, answer["replies"])
	assert.Contains(t, answer["attachments"].(object)["icalendar"], "PARTSTAT=TENTATIVE")

	answer, _ = create(t, s, documented)
	assert.Equal(t, "tentative", answer["recipient"].(object)["status"], "the same again asks nothing new")
	moved := documentedObject(t)
	moved["event"].(object)["end"] = "2026-04-29T11:00:00Z"
	answer, _ = create(t, s, moved)
	assert.Equal(t, "pending", answer["recipient"].(object)["status"], "another time is another question")
}

func TestStatusRefusals(t *testing.T) {
	t.Parallel()
	s := cronofytest.New(cronofytest.Options{})
	create(t, s, documented)
	table := map[string]struct {
		query url.Values
		field string
	}{
		"no id":      {url.Values{"recipient_email": {email}}, "smart_invite_id"},
		"no address": {url.Values{"smart_invite_id": {id}}, "recipient_email"},
		"unknown":    {url.Values{"smart_invite_id": {id}, "recipient_email": {email}, "icon": {"1"}}, "icon"},
		"include_ics": {
			url.Values{"smart_invite_id": {id}, "recipient_email": {email}, "include_ics": {"yes"}},
			"include_ics",
		},
		"twice the same": {url.Values{"smart_invite_id": {id, id}, "recipient_email": {email}}, "smart_invite_id"},
	}
	for name, row := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, answer := status(t, s, row.query)
			assert.Equal(t, http.StatusUnprocessableEntity, code)
			assert.Contains(t, answer["errors"], row.field)
		})
	}
}

func TestAnswerRefusals(t *testing.T) {
	t.Parallel()
	s := cronofytest.New(cronofytest.Options{})
	create(t, s, documented)
	p := cronofytest.Proposal{Start: noon(), End: noon().Add(time.Hour)}
	require.ErrorContains(t, setStatus(s, id, email, "ACCEPTED", ""), "unknown")
	require.ErrorContains(t, setStatus(s, "x", email, "accepted", ""), "no such recipient")
	require.ErrorContains(t, setStatus(s, id, "other@example.com", "accepted", ""), "example.com")
	require.ErrorContains(
		t,
		setStatus(s, id, email, "accepted", "", cronofytest.Proposal{Start: p.End, End: p.Start}),
		"later end",
	)
	p.TZID = "Mars/Olympus"
	require.ErrorContains(t, setStatus(s, id, email, "accepted", "", p), "IANA")
}
