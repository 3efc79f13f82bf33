package lint_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/mailer/lint"
	"github.com/invitemailer/invitemailer/templates"
)

type object = map[string]any

// noon is when everything in these tests happens.
func noon() time.Time { return time.Date(2027, 4, 1, 12, 0, 0, 0, time.UTC) }

// event is a plain event, for a test to change.
func event() object {
	return object{
		"summary": "Board meeting", "description": "Discuss plans for the next quarter.",
		"start": "2027-04-29T08:30:00Z", "end": "2027-04-29T09:00:00Z", "tzid": "Europe/London",
		"location": object{"description": "Board room"},
	}
}

func ask(t testing.TB, api *cronofytest.Server, method string, to []string, ev object) string {
	t.Helper()
	body := object{
		"method": method, "smart_invite_id": "meeting-1", "callback_url": "https://app.example.com/callback",
		"organizer": object{"name": "Jane Doe", "email": "jane@example.com"},
	}
	if ev != nil {
		body["event"] = ev
	}
	if len(to) == 1 {
		body["recipient"] = object{"email": to[0]}
	} else {
		var all []object
		for _, email := range to {
			all = append(all, object{"email": email})
		}
		body["recipients"] = all
	}
	raw, err := json.Marshal(body)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		"https://api.cronofy.example/v1/smart_invites", bytes.NewReader(raw))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer key")
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := api.Transport().RoundTrip(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	raw, err = io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s", raw)
	var answer struct{ Attachments struct{ ICalendar string } }
	require.NoError(t, json.Unmarshal(raw, &answer))
	return answer.Attachments.ICalendar
}

// composed is a mail as the pipeline makes it.
func composed(t testing.TB, kind templates.Kind, text, to, first string) *message.Composed {
	t.Helper()
	out, err := message.Compose(invitation(t, kind, text, to, first))
	require.NoError(t, err)
	return out
}

// invitation is what such a mail is composed from: content from the templates, everything else from
// the calendar.
func invitation(t testing.TB, kind templates.Kind, text, to, first string) message.Message {
	t.Helper()
	c, err := calendar.Read(text)
	require.NoError(t, err)
	recipient, err := address.Parse(to)
	require.NoError(t, err)
	organizer, err := address.Parse(c.Organizer.Email)
	require.NoError(t, err)
	set, err := templates.New()
	require.NoError(t, err)
	content, err := set.Render(kind, templates.Data{
		Summary: c.Summary, Description: c.Description, Start: c.Start, End: c.End, AllDay: c.AllDay, TZID: c.TZID,
		Location: c.Location, URL: c.URL, Organizer: templates.Person{Name: c.Organizer.Name, Email: c.Organizer.Email},
		Recipient: templates.Person{Name: "Ada Lovelace", Email: to},
	})
	require.NoError(t, err)
	m := message.Message{
		From:    message.Mailbox{Name: c.Organizer.Name, Address: organizer},
		To:      message.Mailbox{Name: "Ada Lovelace", Address: recipient},
		Subject: content.Subject, Text: content.Text, HTML: content.HTML,
		Calendar: c.Bytes(), Method: c.Method, Date: noon(),
		MessageID: message.ID("meeting-1", recipient.Key(), c.Method, c.Sum(), 0, organizer.Domain()),
	}
	if first != "" {
		m.InReplyTo, m.References = first, []string{first}
	}
	return m
}

// What leaves this project is clean, whatever the event is like.
func TestComposedMailIsClean(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Ein langer Satz über Pläne, Ziele; und \\ mehr.\n", 80)
	const ada = "ada@example.org"
	for name, tc := range map[string]struct {
		change func(object)
		to     []string
	}{
		"plain": {},
		"non-ASCII": {change: func(e object) {
			e["summary"] = "Gespräch über „Café;" +
				" Brot, Salz\\Pfeffer“ 🍞 mit Zoë"
		}},
		"all day":    {change: func(e object) { e["start"], e["end"] = "2027-04-29", "2027-05-01" }},
		"several":    {to: []string{ada, "grace@example.org", "a+b@example.net"}},
		"long":       {change: func(e object) { e["description"] = long }},
		"long title": {change: func(e object) { e["summary"] = strings.Repeat("Vorstandssitzung über Pläne ", 30) }},
		"link":       {change: func(e object) { e["url"] = "https://example.com/meeting?id=7&go=now" }},
		"call": {change: func(e object) {
			e["location"] = object{"description": "https://meet.example.com/a?b=c&d=e"}
		}},
		"UTC": {change: func(e object) { e["tzid"] = "Etc/UTC" }},
		"Etc": {change: func(e object) { e["tzid"] = "Etc/GMT+5" }},
		"two zones": {change: func(e object) {
			e["start"] = object{"time": "2027-04-29T08:30:00Z", "tzid": "America/New_York"}
			e["end"] = object{"time": "2027-04-29T19:00:00Z", "tzid": "Asia/Tokyo"}
			delete(e, "tzid")
		}},
		"reminder":         {change: func(e object) { e["reminders"] = []object{{"minutes": 60}} }},
		"no place":         {change: func(e object) { delete(e, "location"); delete(e, "description") }},
		"From in the text": {change: func(e object) { e["description"] = "From here\nFrom there" }},
		"HTML in the text": {change: func(e object) {
			e["description"], e["summary"] = `<b>&"'`+`<script>x</script>`, `<a href="javascript:x">&`
		}},
		"spaces":       {change: func(e object) { e["description"] = strings.Repeat("word  \t ", 40) }},
		"beyond ASCII": {to: []string{"josé@bücher.example"}},
	} {
		for _, crlf := range []bool{false, true} {
			t.Run(name+map[bool]string{false: ", LF", true: ", CRLF"}[crlf], func(t *testing.T) {
				t.Parallel()
				api := cronofytest.New(cronofytest.Options{Now: noon, CRLF: crlf})
				ev, to := event(), []string{ada}
				if tc.change != nil {
					tc.change(ev)
				}
				if tc.to != nil {
					to = tc.to
				}
				options := lint.Options{Now: noon().Add(time.Minute)}

				first := composed(t, templates.Invitation, ask(t, api, "request", to, ev), to[0], "")
				options.SMTPUTF8 = first.SMTPUTF8
				clean(t, first, options)

				before, err := lint.ReadPrevious(first.Bytes)
				require.NoError(t, err)
				options.Previous = before
				id := messageID(t, first)
				ev["start"] = map[string]any{"all day": "2027-04-28"}[name]
				if ev["start"] == nil {
					ev["start"] = "2027-04-29T08:00:00Z"
				}
				if name == "two zones" {
					ev["start"] = object{"time": "2027-04-29T08:00:00Z", "tzid": "America/New_York"}
				}
				clean(t, composed(t, templates.Update, ask(t, api, "request", to, ev), to[0], id), options)
				clean(t, composed(t, templates.Cancellation, ask(t, api, "cancel", to, nil), to[0], id), options)
			})
		}
	}
}

func clean(t testing.TB, c *message.Composed, o lint.Options) {
	t.Helper()
	for _, profile := range []lint.Profile{lint.Own, lint.Any} {
		o.Profile = profile
		for _, f := range lint.Check(c.Bytes, o) {
			t.Errorf("%s: %s", profile, f)
		}
	}
}

func messageID(t testing.TB, c *message.Composed) string {
	t.Helper()
	_, rest, ok := strings.Cut(string(c.Bytes), "Message-ID:\r\n <")
	require.True(t, ok)
	id, _, _ := strings.Cut(rest, ">")
	return id
}
