package mailer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// newRecordedFixture is a fixture whose Mailers share a ledger, as the runs of a
// command do.
func newRecordedFixture(t testing.TB, script smtptest.Script) *fixture {
	t.Helper()
	h := newFixture(t, script)
	l, err := sqlite.Open(t.Context(), sqlite.Options{Memory: true, Now: func() time.Time { return h.cfg.Now() }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Shutdown(context.Background())) })
	h.cfg.Ledger = l
	return h
}

// first breaks the first n transactions at a point.
func first(n int, p smtptest.Point, f smtptest.Fault) smtptest.Script {
	return func(e smtptest.Event) smtptest.Fault {
		if e.Point == p && e.Transaction <= n {
			return f
		}
		return smtptest.Fault{}
	}
}

func TestTheSameAgainIsUnchanged(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	one := h.send(t, boardMeeting())
	require.Equal(t, mailer.Sent, one.Outcome)
	two := h.send(t, boardMeeting())
	assert.Equal(t, mailer.Unchanged, two.Outcome)
	assert.Nil(t, two.Error)
	assert.Equal(t, mailer.None, two.Kind)
	assert.Equal(t, one.UID, two.UID)
	assert.Equal(t, one.Sequence, two.Sequence)
	assert.Equal(t, one.MessageID, two.MessageID)
	assert.Equal(t, 1, two.Attempts)
	assert.Equal(t, 1, h.api.Count(), "nothing was asked")
	assert.Len(t, h.smtp.Transactions(), 1, "nothing was mailed")

	// The key does not depend on how the address is written.
	shouting := boardMeeting()
	shouting.Recipient.Email = "ANN@Example.ORG"
	assert.Equal(t, mailer.Unchanged, h.send(t, shouting).Outcome)
}

func TestAChangeIsAnUpdate(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	one := h.send(t, boardMeeting())
	moved := boardMeeting()
	moved.Event.Start.Time = moved.Event.Start.Time.Add(24 * time.Hour)
	moved.Event.End.Time = moved.Event.End.Time.Add(24 * time.Hour)
	moved.Event.Location.Description = "Garden"
	two := h.send(t, moved)
	require.Equal(t, mailer.Sent, two.Outcome, "%+v", two.Error)
	assert.Equal(t, mailer.Update, two.Kind)
	assert.Equal(t, one.UID, two.UID)
	assert.Greater(t, *two.Sequence, *one.Sequence)
	assert.NotEqual(t, one.MessageID, two.MessageID)
	m := h.accepted(t)[1]
	assert.Equal(t, "<"+one.MessageID+">", strings.TrimSpace(m.Header.Get("In-Reply-To")))
	assert.Equal(t, "<"+one.MessageID+">", strings.TrimSpace(m.Header.Get("References")))
	assert.Equal(t, "Updated invitation: Board meeting", m.Header.Get("Subject"))
	text := readMail(t, string(h.smtp.Accepted()[1].Data)).parts[0].body
	for _, said := range []string{"29 April 2027", "30 April 2027", "Board room", "Garden"} {
		assert.Contains(t, text, said, "what changed, old and new")
	}
	assert.Equal(t, mailer.Unchanged, h.send(t, moved).Outcome)
}

func TestATemporaryRefusalIsComposedAnewFromTheRecord(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, first(1, smtptest.AtRcpt, smtptest.Say("450 4.2.0 greylisted")))
	one := h.send(t, boardMeeting())
	require.Equal(t, mailer.Deferred, one.Outcome)
	h.cfg.Now = func() time.Time { return today.Add(time.Hour) }
	two := h.send(t, boardMeeting())
	require.Equal(t, mailer.Sent, two.Outcome)
	assert.Equal(t, mailer.Invitation, two.Kind)
	assert.Equal(t, one.MessageID, two.MessageID)
	assert.Equal(t, 2, two.Attempts)
	assert.Equal(t, 1, h.api.Count(), "the calendar on record is used")
	date, err := h.accepted(t)[0].Header.Date()
	require.NoError(t, err)
	assert.True(t, date.Equal(today.Add(time.Hour)), "a new Date")
}

func TestAnUnknownEndIsRepeatedByteForByte(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, first(1, smtptest.AtDot, smtptest.HangUp()))
	require.Equal(t, mailer.Unknown, h.send(t, boardMeeting()).Outcome)

	h.cfg.Now = func() time.Time { return today.Add(time.Hour) }
	require.Equal(t, mailer.Sent, h.send(t, boardMeeting()).Outcome)
	taken := h.smtp.Accepted()
	require.Len(t, taken, 2)
	assert.Equal(t, string(taken[0].Data), string(taken[1].Data))
	assert.Equal(t, 1, h.api.Count())
	assert.Equal(t, mailer.Unchanged, h.send(t, boardMeeting()).Outcome)
}

// A repeat that does not leave leaves the question open, and the bytes as they
// are: composed anew, they could be a second, different mail.
func TestARepeatThatDoesNotLeaveIsStillUnknown(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, func(e smtptest.Event) smtptest.Fault {
		switch {
		case (e.Transaction == 1 || e.Transaction == 4) && e.Point == smtptest.AtDot:
			return smtptest.HangUp()
		case (e.Transaction == 2 || e.Transaction == 5) && e.Point == smtptest.AtRcpt:
			return smtptest.Say("451 later")
		case e.Transaction == 3 && e.Point == smtptest.AtMail:
			return smtptest.Say("550 not from here")
		}
		return smtptest.Fault{}
	})
	require.Equal(t, mailer.Unknown, h.send(t, boardMeeting()).Outcome)
	h.cfg.Now = func() time.Time { return today.Add(20 * time.Minute) }
	for range 2 {
		r := h.send(t, boardMeeting())
		require.Equal(t, mailer.Unknown, r.Outcome)
		assert.True(t, r.Error.Temporary, "what did not leave is no copy, and is not waited for")
		assert.Contains(t, r.Error.Message, "this repeat did not leave, and whether an earlier copy did is not known")
		assert.NotContains(t, r.Error.Message, "may have left")
	}
	assert.Equal(t, mailer.CodeNoReply, h.send(t, boardMeeting()).Error.Code, "this one may have left")
	assert.Equal(t, mailer.CodeWaiting, h.send(t, boardMeeting()).Error.Code)
	h.cfg.Now = func() time.Time { return today.Add(time.Hour) }
	r := h.send(t, boardMeeting())
	assert.Equal(t, mailer.CodeSMTPTemporary, r.Error.Code)
	assert.True(t, r.Error.Temporary, "the third copy is still to come")
	require.Equal(t, mailer.Sent, h.send(t, boardMeeting()).Outcome)
	taken := h.smtp.Accepted()
	require.Len(t, taken, 3)
	assert.Equal(t, string(taken[0].Data), string(taken[1].Data))
	assert.Equal(t, string(taken[0].Data), string(taken[2].Data))
}

func TestARefusalForGoodIsRemembered(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		smtp     smtptest.Script
		api      *cronofytest.Fault
		requests int // of the retry
	}{
		"by the SMTP server": {smtp: first(1, smtptest.AtRcpt, smtptest.Say("550 5.1.1 no such user"))},
		"by the API":         {api: cronofytest.FaultStatus(422, 0), requests: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newRecordedFixture(t, tc.smtp)
			h.setFault(func(r *cronofytest.Request) *cronofytest.Fault {
				if r.N > 1 {
					return nil
				}
				return tc.api
			})
			one := h.send(t, boardMeeting())
			require.Equal(t, mailer.Failed, one.Outcome)
			two := h.send(t, boardMeeting())
			assert.Equal(t, mailer.Failed, two.Outcome)
			assert.Equal(t, one.Error.Code, two.Error.Code)
			assert.Equal(t, one.Error.Stage, two.Error.Stage)
			assert.Contains(t, two.Error.Message, "RetryFailed")
			assert.Equal(t, 1, h.api.Count())
			h.cfg.RetryFailed = true
			three := h.send(t, boardMeeting())
			assert.Equal(t, mailer.Sent, three.Outcome)
			assert.Equal(t, mailer.Invitation, three.Kind)
			assert.Equal(t, 1+tc.requests, h.api.Count())
		})
	}
}

// An invite that its own cause did not fail is tried again, and asks again only
// if no usable calendar is on record.
func TestAFailureOfTheRunIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault    *cronofytest.Fault
		smtp     smtptest.Script
		requests int
	}{
		"plan":                {fault: cronofytest.FaultStatus(402, 0), requests: 2},
		"server":              {fault: cronofytest.FaultStatus(500, 0), requests: 2},
		"no calendar":         {fault: broken("missing"), requests: 2},
		"unusable":            {fault: broken("no method"), requests: 2},
		"sender refused":      {smtp: first(1, smtptest.AtMail, smtptest.Say("550 not you")), requests: 1},
		"nothing was dialled": {smtp: first(0, smtptest.AtGreeting, smtptest.ShutDown()), requests: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newRecordedFixture(t, func(e smtptest.Event) smtptest.Fault {
				if tc.smtp != nil && e.Conn == 1 {
					return tc.smtp(e)
				}
				return smtptest.Fault{}
			})
			h.setFault(func(r *cronofytest.Request) *cronofytest.Fault {
				if r.N > 1 {
					return nil
				}
				return tc.fault
			})
			one := h.send(t, boardMeeting())
			require.Contains(t, []mailer.Outcome{mailer.Failed, mailer.Deferred}, one.Outcome)
			h.cfg.Submitter = h.submitter(t)
			two := h.send(t, boardMeeting())
			assert.Equal(t, mailer.Sent, two.Outcome, "%+v", two.Error)
			assert.Equal(t, mailer.Invitation, two.Kind)
			assert.Equal(t, tc.requests, h.api.Count())
		})
	}
}

func TestStaleCalendarsAreRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		edit func(string) string
		code mailer.Code
	}{
		"SEQUENCE went back": {edit: swap("SEQUENCE:2", "SEQUENCE:0"),
			code: mailer.Code("stale_calendar")},
		"same SEQUENCE with older DTSTAMP": {edit: func(s string) string {
			return dtstamp(swap("SEQUENCE:2",
				"SEQUENCE:1")(s), "20200101T000000Z")
		}, code: mailer.Code("stale_calendar")},
		"another UID": {edit: func(s string) string {
			return strings.Replace(s, "UID:",
				"UID:other-", 1)
		}, code: mailer.Code("uid_changed")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newRecordedFixture(t, nil)
			i := boardMeeting()
			for range 2 {
				i.Event.Summary += "!"
				require.Equal(t, mailer.Sent, h.send(t, i).Outcome)
			}
			h.setFault(func(r *cronofytest.Request) *cronofytest.Fault {
				if r.N == 3 {
					return cronofytest.FaultCalendar(tc.edit)
				}
				return nil
			})
			i.Event.Summary += "!"
			r := h.send(t, i)
			assert.Equal(t, mailer.Failed, r.Outcome)
			require.NotNil(t, r.Error)
			assert.Equal(t, tc.code, r.Error.Code)
			assert.Len(t, h.smtp.Accepted(), 2)
			r = h.send(t, i)
			assert.Equal(t, mailer.Sent, r.Outcome, "the next run asks again: %+v", r.Error)
			assert.Equal(t, mailer.Update, r.Kind)
			assert.Equal(t, 4, h.api.Count())
		})
	}
}

func swap(old, with string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, with, 1) }
}

func dtstamp(s, to string) string {
	at := strings.Index(s, "DTSTAMP:") + len("DTSTAMP:")
	return s[:at] + to + s[at+len(to):]
}

func TestAChangedDefaultOrganizerMailsNobody(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	h.cfg.Organizer = mailer.Organizer{Name: "HR", Email: "hr@example.com"}
	i := boardMeeting()
	i.Organizer = nil
	require.Equal(t, mailer.Sent, h.send(t, i).Outcome)
	h.cfg.Organizer = mailer.Organizer{Name: "People", Email: "people@example.com"}
	r := h.send(t, i)
	assert.Equal(t, mailer.Failed, r.Outcome)
	assert.Equal(t, mailer.CodeOrganizerChanged, r.Error.Code)
	assert.Equal(t, 1, h.api.Count())
	h.cfg.AcceptOrganizer = true
	r = h.send(t, i)
	assert.Equal(t, mailer.Sent, r.Outcome, "%+v", r.Error)
	assert.Equal(t, mailer.Update, r.Kind)
}

func TestResendMailsTheSameRevisionAgain(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	ids := map[string]bool{}
	ids[h.send(t, boardMeeting()).MessageID] = true
	h.cfg.Resend = true
	for range 2 {
		r := h.send(t, boardMeeting())
		require.Equal(t, mailer.Sent, r.Outcome, "%+v", r.Error)
		ids[r.MessageID] = true
	}
	assert.Equal(t, 1, h.api.Count())
	assert.Len(t, ids, 3, "each mail has its own Message-ID")
	var calendars []string
	for _, tx := range h.smtp.Accepted() {
		calendars = append(calendars, readMail(t, string(tx.Data)).parts[3].body)
	}
	assert.Equal(t, calendars[0], calendars[2])
}

func TestTwoRunsAtOnceSendOneMail(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	inner := h.cfg.Submitter
	arrived, goOn := make(chan struct{}), make(chan struct{})
	h.cfg.Submitter = smtpBytes(func(ctx context.Context, env submission.Envelope, msg []byte) submission.Result {
		close(arrived)
		<-goOn
		return inner.Submit(ctx, env, msg)
	})
	slow := make(chan mailer.Receipt, 1)
	m := h.mailer(t)
	go func() {
		r, _ := m.Send(context.Background(), boardMeeting())
		slow <- r
	}()
	<-arrived
	loser := h.send(t, boardMeeting())
	assert.Equal(t, mailer.Deferred, loser.Outcome)
	assert.Equal(t, mailer.CodeInProgress, loser.Error.Code)
	close(goOn)
	assert.Equal(t, mailer.Sent, (<-slow).Outcome)
	assert.Equal(t, mailer.Unchanged, h.send(t, boardMeeting()).Outcome)
	assert.Equal(t, 1, h.api.Count())
	assert.Len(t, h.smtp.Accepted(), 1)
}

// The past does not come back: not from an old file, and not from the record.
func TestADeferredInviteExpires(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, first(1, smtptest.AtRcpt, smtptest.Say("450 later")))
	require.Equal(t, mailer.Deferred, h.send(t, boardMeeting()).Outcome)
	h.cfg.Now = func() time.Time { return today.AddDate(1, 0, 0) }
	assert.Equal(t, mailer.Expired, h.send(t, boardMeeting()).Outcome)
	assert.Empty(t, h.smtp.Accepted())
}

func TestSMTPConfigurationIsNotTheInvitesFault(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	good := h.cfg.Submitter
	h.cfg.Submitter = smtpBytes(func(context.Context, submission.Envelope, []byte) submission.Result {
		return submission.Result{Outcome: submission.NotBegun, Step: submission.StepLogin, Config: true,
			Err: errors.New("535 5.7.8 authentication failed")}
	})
	r := h.send(t, boardMeeting())
	assert.Equal(t, mailer.Deferred, r.Outcome)
	assert.True(t, r.Error.StopsRun)
	h.cfg.Submitter = good
	assert.Equal(t, mailer.Sent, h.send(t, boardMeeting()).Outcome)
	assert.Len(t, h.smtp.Accepted(), 1)
}
