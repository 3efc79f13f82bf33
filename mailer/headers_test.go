package mailer_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
)

// TestWhoTheMailIsFrom: From, Reply-To and the envelope, by who is named where.
func TestWhoTheMailIsFrom(t *testing.T) {
	t.Parallel()
	jane := &mailer.Organizer{Name: "Jane Doe", Email: "jane@example.com"}
	for name, tc := range map[string]struct {
		organizer *mailer.Organizer
		replyTo   string
		config    mailer.Config
		from      string
		reply     string
		envelope  string
	}{
		"the record's organizer": {organizer: jane, from: `"Jane Doe" <jane@example.com>`,
			envelope: "jane@example.com"},
		"the default organizer": {config: mailer.Config{Organizer: mailer.Organizer{Name: "HR",
			Email: "hr@example.com"}}, from: `"HR" <hr@example.com>`, envelope: "hr@example.com"},
		"the record before default": {organizer: jane,
			config: mailer.Config{Organizer: mailer.Organizer{Email: "hr@example.com"}},
			from:   `"Jane Doe" <jane@example.com>`, envelope: "jane@example.com"},
		"MAIL_FROM before all": {organizer: jane,
			config: mailer.Config{From: "Acme <invites@acme.example>"}, from: `"Acme" <invites@acme.example>`,
			reply: `"Jane Doe" <jane@example.com>`, envelope: "invites@acme.example"},
		"MAIL_FROM and nobody": {config: mailer.Config{From: "invites@acme.example"},
			from: `invites@acme.example`, envelope: "invites@acme.example"},
		"MAIL_REPLY_TO": {organizer: jane, config: mailer.Config{ReplyTo: "people@example.com"},
			from: `"Jane Doe" <jane@example.com>`, reply: `people@example.com`, envelope: "jane@example.com"},
		"the record's reply_to": {organizer: jane, replyTo: "recruiter@example.com",
			config: mailer.Config{ReplyTo: "people@example.com"}, from: `"Jane Doe" <jane@example.com>`,
			reply: `recruiter@example.com`, envelope: "jane@example.com"},
		"bounces elsewhere": {organizer: jane,
			config: mailer.Config{EnvelopeFrom: "bounces@example.com"}, from: `"Jane Doe" <jane@example.com>`,
			envelope: "bounces@example.com"},
		"a name with another address": {organizer: &mailer.Organizer{Name: "boss@bank.example",
			Email: "jane@example.com"}, from: `jane@example.com`, envelope: "jane@example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFixture(t, nil)
			h.tolerates = []string{"IM63"} // a From that is not the ORGANIZER
			tc.config.API, tc.config.Submitter, tc.config.Now = h.cfg.API, h.cfg.Submitter, h.cfg.Now
			h.cfg = tc.config
			invite := boardMeeting()
			invite.Organizer, invite.Mail.ReplyTo = tc.organizer, tc.replyTo
			r := h.send(t, invite)
			require.Equal(t, mailer.Sent, r.Outcome, "%+v", r.Error)
			m := h.accepted(t)[0]
			assert.Equal(t, tc.from, m.Header.Get("From"))
			assert.Equal(t, tc.reply, m.Header.Get("Reply-To"))
			assert.Empty(t, m.Header.Get("Sender"))
			assert.Empty(t, m.Header.Get("Cc"))
			assert.Equal(t, `"Ann Lee" <ann@example.org>`, m.Header.Get("To"))
			assert.Equal(t, tc.envelope, h.smtp.Accepted()[0].From)
			assert.Equal(t, "ann@example.org", h.smtp.Accepted()[0].To)
		})
	}
}

// The caller's subject wins; nothing of the mail options reaches the API, which
// would refuse what it does not know.
func TestMailOptionsStayHere(t *testing.T) {
	t.Parallel()
	h := newFixture(t, nil)
	h.tolerates = []string{"IM76"} // a subject without the title
	invite := boardMeeting()
	invite.Recipient.Locale, invite.Recipient.TZID = "de", "Europe/Berlin"
	invite.Mail = mailer.MailOptions{Subject: "Your interview\r\nBcc: eve@example.org",
		ReplyTo: "hr@example.com", Data: map[string]any{"room": 7}}
	r := h.send(t, invite)
	require.Equal(t, mailer.Sent, r.Outcome, "%+v", r.Error)
	m := h.accepted(t)[0]
	assert.Equal(t, "Your interview Bcc: eve@example.org", m.Header.Get("Subject"))
	assert.Empty(t, m.Header.Get("Bcc"))
	body := h.api.Requests()[0].Body
	assert.Equal(t, map[string]any{"email": "ann@example.org"}, body["recipient"])
	assert.NotContains(t, body, "mail")
}

// Domains outside ASCII travel as A-labels; local parts outside ASCII need a
// server that can take them, and are refused by one that cannot.
func TestAddressesOutsideASCII(t *testing.T) {
	t.Parallel()
	h := newFixture(t, nil)
	invite := boardMeeting()
	invite.Recipient.Email = "ann@Bücher.example"
	r := h.send(t, invite)
	require.Equal(t, mailer.Sent, r.Outcome, "%+v", r.Error)
	assert.Equal(t, "ann@xn--bcher-kva.example", h.smtp.Accepted()[0].To)

	invite.Recipient.Email = "zoë@example.org"
	r = h.send(t, invite)
	assert.Equal(t, mailer.Failed, r.Outcome)
	assert.Len(t, h.smtp.Accepted(), 1, "nothing left for a server without SMTPUTF8")

	h.smtp.Extensions = []string{"PIPELINING", "8BITMIME", "SMTPUTF8"}
	h.cfg.Submitter = h.submitter(t)
	r = h.send(t, invite)
	require.Equal(t, mailer.Sent, r.Outcome, "%+v", r.Error)
	assert.Equal(t, "zoë@example.org", h.smtp.Accepted()[1].To)
}
