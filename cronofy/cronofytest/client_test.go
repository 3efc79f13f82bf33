package cronofytest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// The client beside this package sends nothing that the API does not know, and reads everything
// that the API says.
func TestClientAgainstSimulator(t *testing.T) {
	t.Parallel()
	s := cronofytest.New(cronofytest.Options{APIKey: "key"})
	client, err := cronofy.New(
		cronofy.Config{
			APIKey:      "key",
			BaseURL:     "https://api.cronofy.example/base",
			MaxAttempts: 1,
			Transport:   s.Transport(),
		},
	)
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.CheckKey(t.Context()))

	yes := true
	start := time.Date(2026, 4, 29, 9, 30, 0, 0, time.UTC)
	request := &cronofy.InviteRequest{
		SmartInviteID: "id", CallbackURL: "https://example.com/callback",
		Recipients: []cronofy.Recipient{{Email: "a+1@example.com"}, {Email: "b@example.com"}},
		Event: &cronofy.Event{
			Summary: "s", Description: "d", Start: cronofy.EventTime{Time: start, TZID: "Europe/London"},
			End:  cronofy.EventTime{Time: start.Add(time.Hour)},
			TZID: "Europe/Paris", Location: &cronofy.Location{Description: "here", Lat: "1.5", Long: "2.5"},
			URL: "https://example.com/",
			Reminders: []cronofy.Reminder{
				{Minutes: 15},
			}, RemindersCreateOnly: &yes, Transparency: "opaque", Color: "#fff", EventPrivate: &yes, Locale: "en",
		},
		Organizer: &cronofy.Organizer{Name: "Org", Email: "o@example.com"},
	}
	created, err := client.Create(t.Context(), request)
	require.NoError(t, err)
	assert.Len(t, created.Recipients, 2)
	assert.True(t, created.Event.Start.Time.Equal(start))

	require.NoError(t, setStatus(s, "id", "b@example.com", "declined", "no"))
	found, err := client.Status(
		t.Context(),
		cronofy.Ref{SmartInviteID: "id", Recipients: []string{"a+1@example.com", "b@example.com"}},
		true,
	)
	require.NoError(t, err)
	assert.Equal(t, cronofy.StatusDeclined, found.Recipients[1].Status)

	_, err = client.Remove(t.Context(), cronofy.Ref{SmartInviteID: "id", Recipient: "a+1@example.com"})
	require.NoError(t, err)
	_, err = client.Cancel(t.Context(), cronofy.Ref{SmartInviteID: "id", Recipients: []string{"b@example.com"}})
	require.NoError(t, err)

	request.Recipients, request.Recipient = nil, &cronofy.Recipient{Email: "nobody"}
	_, err = client.Create(t.Context(), request)
	require.Equal(t, 422, cronofy.StatusOf(err))
	require.ErrorContains(t, err, "recipient.email")

	_, err = client.Cancel(t.Context(), cronofy.Ref{SmartInviteID: "id", Recipient: "c@example.com"})
	require.Equal(t, 404, cronofy.StatusOf(err))
}
