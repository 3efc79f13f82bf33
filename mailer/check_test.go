package mailer_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/templates"
)

// badWords is a template that composes a broken mail: its picture is nowhere.
type badWords struct{}

func (badWords) Render(templates.Kind, templates.Data) (templates.Content, error) {
	return templates.Content{Subject: "Invitation: Board meeting", Text: "Board meeting, Board room",
		HTML: `<p>Board meeting</p><img src="cid:logo@acme.example">`, Lang: "en"}, nil
}

// What we composed wrongly stops the mail, however little is asked.
func TestAMailComposedWronglyIsStopped(t *testing.T) {
	t.Parallel()
	for _, lint := range []mailer.Lint{mailer.LintReport, mailer.LintStrict, mailer.LintOff} {
		t.Run(string(lint), func(t *testing.T) {
			t.Parallel()
			h := newRecordedFixture(t, nil)
			good := h.cfg.Templates
			h.cfg.Templates, h.cfg.Lint = badWords{}, lint
			r := h.send(t, boardMeeting())
			assert.Equal(t, mailer.Failed, r.Outcome)
			require.NotNil(t, r.Error)
			assert.Equal(t, mailer.StageCheck, r.Error.Stage)
			assert.Equal(t, mailer.Code("composed_wrong"), r.Error.Code)
			assert.Contains(t, r.Error.Message, "IM11")
			assert.Empty(t, h.smtp.Transactions())

			h.cfg.Templates = good
			assert.Equal(t, mailer.Sent, h.send(t, boardMeeting()).Outcome,
				"a fixed template mails the calendar on record")
			assert.Equal(t, 1, h.api.Count())
		})
	}
}

// An oddity of the API's calendar is told, and stops the mail only on request.
func TestAnOddCalendarIsReported(t *testing.T) {
	t.Parallel()
	for lint, want := range map[mailer.Lint]struct {
		outcome  mailer.Outcome
		findings bool
	}{
		mailer.LintReport: {mailer.Sent, true},
		mailer.LintStrict: {mailer.Failed, true},
		mailer.LintOff:    {mailer.Sent, false},
	} {
		t.Run(string(lint), func(t *testing.T) {
			t.Parallel()
			h := newRecordedFixture(t, nil)
			h.cfg.Lint = lint
			h.setFault(func(r *cronofytest.Request) *cronofytest.Fault {
				if r.N > 1 {
					return nil
				}
				return broken("no dtstamp")
			})
			r := h.send(t, boardMeeting())
			assert.Equal(t, want.outcome, r.Outcome, "%+v", r.Error)
			var rules []string
			for _, f := range r.Findings {
				rules = append(rules, f.Rule)
			}
			assert.Equal(t, want.findings, len(rules) > 0, "%v", rules)
			if want.findings {
				assert.Contains(t, rules, "IM30")
			}
			if want.outcome == mailer.Failed {
				assert.Equal(t, mailer.Code("calendar_wrong"), r.Error.Code)
				assert.Equal(t, mailer.Sent, h.send(t, boardMeeting()).Outcome, "the next run asks anew")
				assert.Equal(t, 2, h.api.Count())
			}
		})
	}
}
