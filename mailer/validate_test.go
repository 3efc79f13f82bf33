package mailer_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
)

// TestInvalidInvites: what is wrong is said with its field and what to do, and
// nobody is asked.
func TestInvalidInvites(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		edit    func(*mailer.Invite)
		config  func(*mailer.Config)
		field   string
		message string
	}{
		"no id": {edit: func(i *mailer.Invite) { i.ID = "  " },
			field: "smart_invite_id", message: "is missing"},
		"id with a line break": {edit: func(i *mailer.Invite) { i.ID = "a\nb" },
			field: "smart_invite_id", message: "control characters"},
		"unknown method": {edit: func(i *mailer.Invite) { i.Method = "publish" },
			field: "method", message: "request, cancel, remove"},
		"no address": {edit: func(i *mailer.Invite) { i.Recipient.Email = "" },
			field: "recipient.email", message: "is missing"},
		"no domain": {edit: func(i *mailer.Invite) { i.Recipient.Email = "ann" },
			field: "recipient.email"},
		"two addresses": {edit: func(i *mailer.Invite) { i.Recipient.Email = "ann@example.org,bob@example.org" },
			field: "recipient.email"},
		"address with a header": {
			edit:  func(i *mailer.Invite) { i.Recipient.Email = "ann@example.org\r\nBcc: bob@example.org" },
			field: "recipient.email"},
		"recipient's zone": {edit: func(i *mailer.Invite) { i.Recipient.TZID = "Europe/Atlantis" },
			field: "recipient.tzid", message: "IANA"},
		"recipient's locale": {edit: func(i *mailer.Invite) { i.Recipient.Locale = "no such language!" },
			field: "recipient.locale"},
		"no event": {edit: func(i *mailer.Invite) { i.Event = nil }, field: "event",
			message: "is missing"},
		"no title": {edit: func(i *mailer.Invite) { i.Event.Summary = " " },
			field: "event.summary", message: "is missing"},
		"title too long": {edit: func(i *mailer.Invite) {
			i.Event.Summary = strings.Repeat("é",
				1025)
		}, field: "event.summary", message: "1025 characters, the limit is 1024"},
		"description too long": {edit: func(i *mailer.Invite) {
			i.Event.Description = strings.Repeat("é",
				4097)
		}, field: "event.description", message: "4097 characters, the limit is 4096"},
		"no start": {edit: func(i *mailer.Invite) { i.Event.Start = cronofy.EventTime{} },
			field: "event.start", message: "is missing"},
		"no end": {edit: func(i *mailer.Invite) { i.Event.End = cronofy.EventTime{} },
			field: "event.end", message: "is missing"},
		"end before start": {edit: func(i *mailer.Invite) { i.Event.End.Time = i.Event.Start.Time.Add(-time.Second) },
			field: "event.end", message: "is not after event.start"},
		"end at start": {edit: func(i *mailer.Invite) { i.Event.End = i.Event.Start },
			field: "event.end", message: "is not after event.start"},
		"date and time": {edit: func(i *mailer.Invite) { i.Event.End.DateOnly = true },
			field: "event.end", message: "two dates or two times"},
		"no such zone": {edit: func(i *mailer.Invite) { i.Event.TZID = "GMT Standard Time" },
			field: "event.tzid", message: "no time zone"},
		"the machine's zone": {edit: func(i *mailer.Invite) { i.Event.TZID = "Local" },
			field: "event.tzid", message: "no time zone"},
		"the machine's zone by its file": {edit: func(i *mailer.Invite) { i.Event.TZID = "localtime" },
			field: "event.tzid", message: "no time zone"},
		"a zone of no place": {edit: func(i *mailer.Invite) { i.Recipient.TZID = "posixrules" },
			field: "recipient.tzid", message: "no time zone"},
		"attendees": {edit: extra("attendees"), field: "event.attendees",
			message: "its recipients"},
		"conferencing": {edit: extra("conferencing"), field: "event.conferencing",
			message: "not supported"},
		"event's link": {edit: func(i *mailer.Invite) { i.Event.URL = "javascript:alert(1)" },
			field: "event.url", message: "https://"},
		"callback": {edit: func(i *mailer.Invite) { i.CallbackURL = "example.com" },
			field: "callback_url", message: "https://"},
		"reply to nobody": {edit: func(i *mailer.Invite) { i.Mail.ReplyTo = "nobody" },
			field: "mail.reply_to"},
		"no such template": {edit: func(i *mailer.Invite) { i.Mail.Template = "interview" },
			field: "mail.template"},
		"no organizer": {edit: func(i *mailer.Invite) { i.Organizer = nil },
			field: "organizer.email", message: "Config.Organizer.Email"},
		"organizer without address": {edit: func(i *mailer.Invite) { i.Organizer.Email = "" },
			field: "organizer.email", message: "is missing"},
		"organizer of another domain": {config: func(c *mailer.Config) { c.FromDomains = []string{"example.net"} },
			field: "organizer.email", message: "Config.FromDomains"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFixture(t, nil)
			if tc.config != nil {
				tc.config(&h.cfg)
			}
			invite := boardMeeting()
			if tc.edit != nil {
				tc.edit(&invite)
			}
			r := h.send(t, invite)
			assert.Equal(t, mailer.Invalid, r.Outcome)
			require.NotNil(t, r.Error)
			assert.Equal(t, mailer.StageRead, r.Error.Stage)
			assert.Equal(t, tc.field, r.Error.Field)
			assert.Contains(t, r.Error.Message, tc.message)
			assert.Zero(t, h.api.Count())
			assert.Empty(t, h.smtp.Transactions())
		})
	}
}

func extra(name string) func(*mailer.Invite) {
	return func(i *mailer.Invite) { i.Event.Extra = map[string]json.RawMessage{name: json.RawMessage(`[]`)} }
}

func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	h := newFixture(t, nil)
	invite := boardMeeting()
	invite.Recipient.Email, invite.Event.Summary = "ann", ""
	invite.Event.End = invite.Event.Start
	r := h.send(t, invite)
	require.NotNil(t, r.Error)
	assert.Equal(t, "recipient.email", r.Error.Field)
	assert.Contains(t, r.Error.Message, "event.summary: is missing")
	assert.Contains(t, r.Error.Message, "event.end: is not after")
}

func TestAGroupNamesEverybodyOnce(t *testing.T) {
	t.Parallel()
	h := newFixture(t, nil)
	g := group(2)
	g.Recipients = append(g.Recipients, mailer.Recipient{Email: "PERSON0@Example.ORG"})
	receipts, err := h.mailer(t).SendGroup(t.Context(), g)
	require.Error(t, err)
	require.Len(t, receipts, 3)
	assert.Equal(t, "recipients[2].email", receipts[0].Error.Field)
	g.Recipients = nil
	receipts, err = h.mailer(t).SendGroup(t.Context(), g)
	require.Error(t, err)
	require.Len(t, receipts, 1)
	assert.Equal(t, mailer.Invalid, receipts[0].Outcome)
}

// What is odd but not wrong is told on the receipt, and sent.
func TestFindings(t *testing.T) {
	t.Parallel()
	h := newFixture(t, nil)
	invite := boardMeeting()
	extra("recurrence")(&invite)
	invite.CallbackURL = "https://yourapp.example.com/cronofy/smart_invite/notifications"
	r := h.send(t, invite)
	assert.Equal(t, mailer.Sent, r.Outcome)
	var rules []string
	for _, f := range r.Findings {
		rules = append(rules, f.Rule)
	}
	assert.Equal(t, []string{"unknown_event_field", "example_callback_url"}, rules)
}

// A configuration that cannot work is refused as a whole.
func TestNewSaysEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := mailer.New(mailer.Config{From: "nobody", ReplyTo: "<", OnUnknown: "maybe",
		OnlyTo:      []string{"example.com"},
		FromDomains: []string{"not a domain"}, CallbackURL: "x", Organizer: mailer.Organizer{Name: "HR"},
		EnvelopeFrom: "bounce"})
	require.Error(t, err)
	for _, field := range []string{"API:", "Submitter:", "From:", "ReplyTo:", "OnUnknown:", "OnlyTo:",
		"FromDomains:", "CallbackURL:", "Organizer.Email:", "EnvelopeFrom:"} {
		assert.Contains(t, err.Error(), field)
	}
	_, err = mailer.New(mailer.Config{DryRun: true, From: "Jane <jane@example.com>",
		FromDomains: []string{"example.net"}})
	require.ErrorContains(t, err, "FromDomains")
}
