package mailer_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// TestBlanksAroundAnIDAreRefused: "a " beside "a" is a second invite for the same
// person, which nobody means.
func TestBlanksAroundAnIDAreRefused(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"board-meeting ", " board-meeting", "board-meeting\u00a0",
		"board-meeting\u200b", "\ufeffboard-meeting"} {
		for name, h := range map[string]*fixture{"ledger": newRecordedFixture(t, nil), "none": newFixture(t, nil)} {
			i := boardMeeting()
			i.ID = id
			r := h.send(t, i)
			assert.Equal(t, mailer.Invalid, r.Outcome, name)
			require.NotNil(t, r.Error)
			assert.Equal(t, "smart_invite_id", r.Error.Field)
			assert.Contains(t, r.Error.Message, "blank")
			assert.Zero(t, h.api.Count())
		}
	}
}

// TestAnIDOnRecordWithItsBlankStaysItself: it must not be invited anew by another
// name, nor be lost to changes and cancellations.
func TestAnIDOnRecordWithItsBlankStaysItself(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	i := boardMeeting()
	i.ID = "board-meeting "
	record(t, h, i)
	r := h.send(t, i)
	assert.NotEqual(t, mailer.Invalid, r.Outcome)
	require.NotEmpty(t, r.Findings)
	assert.Equal(t, "blank_in_id", r.Findings[0].Rule)
	other := i
	other.Recipient.Email = "bob@example.org"
	assert.Equal(t, mailer.Invalid, h.send(t, other).Outcome, "for somebody else it is not on record")
	g := mailer.Group{ID: i.ID, Event: i.Event, Organizer: i.Organizer, Recipients: []mailer.Recipient{other.Recipient}}
	_, err := h.mailer(t).SendGroup(t.Context(), g)
	require.Error(t, err)
}

// record puts an invitation on record as one that was sent.
func record(t *testing.T, h *fixture, i mailer.Invite) {
	t.Helper()
	key := ledger.Key{InviteID: i.ID, Address: i.Recipient.Email}
	claim, err := h.cfg.Ledger.Claim(t.Context(), key)
	require.NoError(t, err)
	require.NoError(t, h.cfg.Ledger.Create(t.Context(), claim,
		ledger.NewRevision{Key: key, Recipient: i.Recipient.Email, Revision: ledger.Revision{
			Kind: mailer.Invitation, Method: mailer.Request, State: ledger.Settled}}))
	require.NoError(t, h.cfg.Ledger.Release(t.Context(), claim))
}

// TestControlCharactersAreRefused: nobody means them, calendars mangle them, and the
// API is not asked.
func TestControlCharactersAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"\x00", "\x07", "\v", "\f", "\x1b", "\x7f", "\u0085", "\u009b"} {
		for field, edit := range map[string]func(*mailer.Invite){
			"event.summary":              func(i *mailer.Invite) { i.Event.Summary = "one" + c + "two" },
			"event.description":          func(i *mailer.Invite) { i.Event.Description = "one" + c + "two" },
			"event.location.description": func(i *mailer.Invite) { i.Event.Location.Description = "one" + c + "two" },
			"recipient.name":             func(i *mailer.Invite) { i.Recipient.Name = "one" + c + "two" },
			"organizer.name":             func(i *mailer.Invite) { i.Organizer.Name = "one" + c + "two" },
			"event.location.lat":         func(i *mailer.Invite) { i.Event.Location.Lat = "1.0" + c },
			"event.location.long":        func(i *mailer.Invite) { i.Event.Location.Long = "1.0" + c },
			"event.url":                  func(i *mailer.Invite) { i.Event.URL = "www" + c + "x" },
			"event.transparency":         func(i *mailer.Invite) { i.Event.Transparency = "opa" + c },
			"event.color":                func(i *mailer.Invite) { i.Event.Color = "red" + c },
			"event.locale":               func(i *mailer.Invite) { i.Event.Locale = "en-" + c },
			"event.other": func(i *mailer.Invite) {
				text, err := json.Marshal([]any{map[string]any{"deep": "one" + c + "two"}})
				require.NoError(t, err)
				i.Event.Extra = map[string]json.RawMessage{"other": text}
			},
			"callback_url": func(i *mailer.Invite) { i.CallbackURL = "www" + c + "x" },
			"mail.subject": func(i *mailer.Invite) { i.Mail.Subject = "one" + c + "two" },
			"mail.data": func(i *mailer.Invite) {
				i.Mail.Data = map[string]any{"a": 1, "b": []any{map[string]any{"one" + c: "two"}}}
			},
		} {
			h := newFixture(t, nil)
			i := boardMeeting()
			edit(&i)
			r := h.send(t, i)
			require.Equal(t, mailer.Invalid, r.Outcome, "%s %q", field, c)
			assert.Equal(t, field, r.Error.Field)
			assert.Contains(t, r.Error.Message, "control character")
			assert.Contains(t, r.Error.Message, "character 4")
			assert.Zero(t, h.api.Count())
		}
	}
	for field, edit := range map[string]func(*mailer.Invite){
		"recipient.name": func(i *mailer.Invite) { i.Recipient.Name = "\xff" },
		"organizer.name": func(i *mailer.Invite) { i.Organizer.Name = "\xff" },
	} {
		i := boardMeeting()
		edit(&i)
		r := newFixture(t, nil).send(t, i)
		require.Equal(t, mailer.Invalid, r.Outcome)
		assert.Equal(t, field, r.Error.Field)
	}
	i := boardMeeting()
	i.Mail.Data = map[string]any{"list": []any{"cr\rlf\r\ntab\tx", 1, nil, true}}
	i.Event.Description = "cr\rlf\r\ntab\tx"
	assert.Equal(t, mailer.Sent, newFixture(t, nil).send(t, i).Outcome, "line ends of all kinds are none of them")
}
