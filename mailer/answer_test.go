package mailer_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/lint"
)

// inUTC makes the API answer with calendars in UTC, as it may.
func inUTC(h *fixture) {
	london := regexp.MustCompile(`(DTSTART|DTEND);TZID=Europe/London:(\d{8}T\d{6})`)
	zone, _ := time.LoadLocation("Europe/London")
	h.setFault(func(*cronofytest.Request) *cronofytest.Fault {
		return cronofytest.FaultCalendar(func(ics string) string {
			return london.ReplaceAllStringFunc(ics, func(s string) string {
				m := london.FindStringSubmatch(s)
				at, err := time.ParseInLocation("20060102T150405", m[2], zone)
				if err != nil {
					return err.Error()
				}
				return m[1] + ":" + at.UTC().Format("20060102T150405Z")
			})
		})
	})
}

// TestACalendarInUTCIsToldInTheRecordsZone: people read times where the event takes
// place, and not where a server keeps them.
func TestACalendarInUTCIsToldInTheRecordsZone(t *testing.T) {
	t.Parallel()
	text := func(h *fixture) string {
		t.Helper()
		all := h.smtp.Accepted()
		require.NotEmpty(t, all)
		return oneLine(readMail(t, string(all[len(all)-1].Data)).parts[0].body)
	}
	h := newRecordedFixture(t, nil)
	inUTC(h)
	i := boardMeeting()
	r := h.send(t, i)
	require.Equal(t, mailer.Sent, r.Outcome, "%+v", r.Error)
	assert.Empty(t, r.Findings)
	assert.Contains(t, string(h.smtp.Accepted()[0].Data), "DTSTART:20270429T093000Z", "the calendar goes as it came")
	assert.Contains(t, text(h), "10:30 – 11:00 (Europe/London, UTC+01:00)")
	assert.NotContains(t, text(h), "(UTC)")

	i.Event.End.Time = i.Event.End.Time.Add(time.Hour)
	i.Recipient.TZID = "America/New_York"
	r = h.send(t, i)
	require.Equal(t, mailer.Update, r.Kind)
	assert.Empty(t, r.Findings)
	assert.Contains(t, text(h), "10:30 – 12:00 (Europe/London, UTC+01:00)")
	assert.Contains(t, text(h), "05:30 – 07:00 (America/New_York, UTC-04:00)")
	assert.NotContains(t, text(h), "(UTC)")

	i.Method, i.Recipient.TZID = mailer.Cancel, ""
	r = h.send(t, i)
	require.Equal(t, mailer.Cancellation, r.Kind)
	assert.Contains(t, text(h), "10:30 – 12:00 (Europe/London, UTC+01:00)")

	for name, edit := range map[string]func(*mailer.Invite){
		"a zone of the start alone": func(i *mailer.Invite) {
			i.Event.TZID, i.Event.Start.TZID, i.Event.End.TZID = "", "Europe/London", "Europe/London"
		},
	} {
		h := newFixture(t, nil)
		inUTC(h)
		i := boardMeeting()
		edit(&i)
		require.Equal(t, mailer.Sent, h.send(t, i).Outcome, name)
		assert.Contains(t, text(h), "10:30 – 11:00 (Europe/London, UTC+01:00)", name)
	}
	h = newFixture(t, nil)
	h.setFault(func(*cronofytest.Request) *cronofytest.Fault {
		return cronofytest.FaultCalendar(func(ics string) string {
			return strings.ReplaceAll(ics,
				";TZID=Europe/London:2027", ":2027")
		})
	})
	require.Equal(t, mailer.Sent, h.send(t, boardMeeting()).Outcome)
	assert.Contains(t, text(h), "10:30 – 11:00", "a floating time is nobody's, and stays as it is")
	h = newFixture(t, nil)
	i = boardMeeting()
	i.Event.TZID = ""
	require.Equal(t, mailer.Sent, h.send(t, i).Outcome)
	assert.Contains(t, text(h), "09:30 – 10:00 (UTC)", "where no zone was given")
}

// TestAnAnswerOfAnotherEventIsTold: what the API returns is mailed as it is, and
// whoever asked for something else should know.
func TestAnAnswerOfAnotherEventIsTold(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ old, new, rule, field, says string }{
		"another start": {"DTSTART;TZID=Europe/London:20270429T1030",
			"DTSTART;TZID=Europe/London:20270429T1015", "other_time", "event.start",
			"2027-04-29T10:15:00+01:00 where 2027-04-29T10:30:00+01:00 was asked for"},
		"another end": {"DTEND;TZID=Europe/London:20270429T1100", "DTEND;TZID=Europe/London:20270429T1200",
			"other_time", "event.end", "2027-04-29T12:00:00+01:00"},
		"another title": {"SUMMARY:Board meeting", "SUMMARY:Bored meeting", "other_title", "event.summary",
			`"Bored meeting" where "Board meeting" was asked for`},
		"a day": {"DTSTART;TZID=Europe/London:20270429T103000", "DTSTART;VALUE=DATE:20270429",
			"other_time", "event.start", "2027-04-29"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFixture(t, nil)
			h.setFault(func(*cronofytest.Request) *cronofytest.Fault {
				return cronofytest.FaultCalendar(func(ics string) string {
					if name == "a day" {
						ics = strings.Replace(ics, "DTEND;TZID=Europe/London:20270429T110000",
							"DTEND;VALUE=DATE:20270430", 1)
					}
					return strings.Replace(ics, tc.old, tc.new, 1)
				})
			})
			r := h.send(t, boardMeeting())
			require.Equal(t, mailer.Sent, r.Outcome, "%+v", r.Error)
			f := findingOf(r, tc.rule)
			assert.Equal(t, tc.field, f.Field)
			assert.Equal(t, lint.Warning, f.Level)
			assert.Contains(t, f.Message, tc.says)
		})
	}
	t.Run("another id", func(t *testing.T) {
		t.Parallel()
		h := newFixture(t, nil)
		h.cfg.API = renaming{h.cfg.API}
		r := h.send(t, boardMeeting())
		require.Equal(t, mailer.Sent, r.Outcome)
		f := findingOf(r, "other_id")
		assert.Equal(t, "smart_invite_id", f.Field)
		assert.Contains(t, f.Message, `"another" where "board-meeting" was asked for`)
	})
	t.Run("what was asked for", func(t *testing.T) {
		t.Parallel()
		h := newFixture(t, nil)
		i := boardMeeting()
		i.Event.Summary = "Board  meeting\nof today"
		assert.Empty(t, h.send(t, i).Findings, "spaces are not told apart")
		i.ID = "days"
		i.Event.Start, i.Event.End = day(29), day(30)
		assert.Empty(t, h.send(t, i).Findings)
	})
}

func day(n int) cronofy.EventTime {
	return cronofy.EventTime{Time: time.Date(2027, 4, n, 0, 0, 0, 0, time.UTC), DateOnly: true}
}

func findingOf(r mailer.Receipt, rule string) mailer.Finding {
	for _, f := range r.Findings {
		if f.Rule == rule {
			return f
		}
	}
	return mailer.Finding{}
}

// renaming is an API that answers of another invite.
type renaming struct{ mailer.SmartInvites }

func (a renaming) Create(ctx context.Context, r *cronofy.InviteRequest) (*cronofy.SmartInvite, error) {
	answer, err := a.SmartInvites.Create(ctx, r)
	if err == nil {
		answer.SmartInviteID = "another"
	}
	return answer, err
}
