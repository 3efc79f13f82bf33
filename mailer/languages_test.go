package mailer_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/templates"
)

// withdrawing is an API that returns the calendar of a withdrawal, which the
// documentation does not promise: the cancellation for one person.
type withdrawing struct{ mailer.SmartInvites }

func (w withdrawing) Remove(ctx context.Context, ref cronofy.Ref) (*cronofy.SmartInvite, error) {
	answer, err := w.Cancel(ctx, ref)
	if err != nil {
		return nil, err
	}
	ics := strings.Replace(answer.Attachments.ICalendar, "STATUS:CANCELLED\n", "", 1)
	answer.Attachments = cronofy.Attachments{Removed: &cronofy.Removed{Email: ref.Recipient, ICalendar: ics}}
	return answer, nil
}

// TestEveryMailInEveryLanguage sends every kind of mail about events that are
// hard to write about, in every language, and holds each to every rule, the
// warnings included (see fixture.assertClean).
func TestEveryMailInEveryLanguage(t *testing.T) {
	t.Parallel()
	set, err := templates.New()
	require.NoError(t, err)
	events := make(map[string]templates.Data)
	langs := make(map[string]bool)
	for s := range set.Samples() {
		langs[s.Lang] = true
		if s.Kind == templates.Invitation && s.Lang == "en" {
			events[s.Event] = s.Data
		}
	}
	require.NotEmpty(t, events)
	for name, d := range events {
		for _, lang := range slices.Sorted(maps.Keys(langs)) {
			t.Run(name+"/"+lang, func(t *testing.T) {
				t.Parallel()
				h := newRecordedFixture(t, nil)
				h.cfg.API = withdrawing{h.cfg.API}
				h.cfg.AllowPast = true
				invite := boardMeeting()
				invite.Recipient.Locale = lang
				invite.Event.Description = strings.ReplaceAll(d.Description, "\x00", "") // it would be refused
				if d.Summary != "" {
					invite.Event.Summary = d.Summary
				}
				if d.Location != "" {
					invite.Event.Location.Description = d.Location
				}
				if !d.Start.IsZero() && d.End.After(d.Start) {
					invite.Event.Start, invite.Event.End = cronofy.EventTime{Time: d.Start,
						DateOnly: d.AllDay}, cronofy.EventTime{Time: d.End, DateOnly: d.AllDay}
					invite.Event.TZID = d.TZID
				}
				sent := func(want mailer.Kind) {
					t.Helper()
					r := h.send(t, invite)
					require.Equal(t, mailer.Sent, r.Outcome, "%+v", r.Error)
					assert.Equal(t, want, r.Kind)
				}
				sent(mailer.Invitation)
				invite.Event.End.Time = invite.Event.End.Time.AddDate(0, 0, 1)
				invite.Event.Location.Description = "Garden"
				sent(mailer.Update)
				invite.Method = mailer.Remove
				sent(mailer.Withdrawal)
				invite.Method = mailer.Request
				sent(mailer.Invitation)
				invite.Method = mailer.Cancel
				sent(mailer.Cancellation)
			})
		}
	}
}
