package mailer_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/templates"
)

// The words are in the reader's language and by the reader's clock; the
// recipient's wish goes before that of the record, and that before the setting.
func TestWordsAreTheReaders(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		recipient, record, setting string
		subject                    string
	}{
		"the recipient": {recipient: "de", record: "fr", setting: "es", subject: "Einladung: Board meeting"},
		"the record":    {record: "fr", setting: "es", subject: "Invitation : Board meeting"},
		"the setting":   {setting: "es", subject: "Invitación: Board meeting"},
		"nobody":        {subject: "Invitation: Board meeting"},
		"not spoken":    {recipient: "tlh", subject: "Invitation: Board meeting"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFixture(t, nil)
			h.cfg.Locale = tc.setting
			invite := boardMeeting()
			invite.Recipient.Locale, invite.Mail.Locale = tc.recipient, tc.record
			invite.Recipient.TZID = "America/New_York"
			require.Equal(t, mailer.Sent, h.send(t, invite).Outcome)
			got := readMail(t, string(h.smtp.Accepted()[0].Data))
			subject, err := decodeHeader(got.header.Get("Subject"))
			require.NoError(t, err)
			assert.Equal(t, tc.subject, oneLine(subject))
			text := oneLine(got.parts[0].body)
			assert.Contains(t, text, "America/New_York, UTC-04:00")
			assert.Contains(t, text, "Europe/London, UTC+01:00")
		})
	}
}

// oneLine undoes the wrapping of lines, and takes every kind of space for one.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestNamedTemplates(t *testing.T) {
	t.Parallel()
	set, err := templates.New(fstest.MapFS{
		"interview/en/invitation.tmpl": {
			Data: []byte(`{{define "subject"}}Your interview, room {{.Data.room}}: {{.Summary}}{{end}}`),
		},
	})
	require.NoError(t, err)
	h := newFixture(t, nil)
	h.cfg.Templates = set
	invite := boardMeeting()
	invite.Mail.Template, invite.Mail.Data = "interview", map[string]any{"room": 7}
	r := h.send(t, invite)
	require.Equal(t, mailer.Sent, r.Outcome, "%+v", r.Error)
	assert.Equal(t, "Your interview, room 7: Board meeting", h.accepted(t)[0].Header.Get("Subject"))
	h.tolerates = []string{"IM76"} // a subject in its own words

	invite.ID, invite.Mail.Data = "other", nil
	r = h.send(t, invite)
	assert.Equal(t, mailer.Failed, r.Outcome)
	assert.Equal(t, mailer.StageRender, r.Error.Stage)
	assert.Contains(t, r.Error.Message, "interview/en/invitation.tmpl:1")
	assert.Contains(t, r.Error.Message, "room")

	invite.Mail.Template = "nowhere"
	r = h.send(t, invite)
	assert.Equal(t, mailer.Invalid, r.Outcome)
	assert.Equal(t, "mail.template", r.Error.Field)
}

func TestHTMLInADescriptionIsShownAsText(t *testing.T) {
	t.Parallel()
	h := newFixture(t, nil)
	invite := boardMeeting()
	invite.Event.Description = "<p>Bring <b>pens</b></p>"
	invite.Event.Location.Description = "javascript:alert(1)"
	r := h.send(t, invite)
	require.Equal(t, mailer.Sent, r.Outcome, "%+v", r.Error)
	require.Len(t, r.Findings, 1)
	assert.Equal(t, "html_in_description", r.Findings[0].Rule)
	got := readMail(t, string(h.smtp.Accepted()[0].Data))
	assert.Contains(t, got.parts[1].body, "&lt;p&gt;Bring &lt;b&gt;pens&lt;/b&gt;&lt;/p&gt;")
	assert.NotContains(t, got.parts[1].body, `href="javascript`)
}
