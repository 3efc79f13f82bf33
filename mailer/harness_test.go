package mailer_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/lint"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// today is when the tests take place: before the event of boardMeeting.
var today = time.Date(2027, 4, 1, 12, 0, 0, 0, time.UTC)

// fixture is a Mailer with both of its services simulated.
type fixture struct {
	api  *cronofytest.Server
	smtp *smtptest.Server
	cfg  mailer.Config

	// tolerates are the rules that what the caller asks for breaks.
	tolerates []string

	mu    sync.Mutex
	fault func(*cronofytest.Request) *cronofytest.Fault
}

// newFixture returns a fixture whose Mailer is made by mailer, after the test has
// changed what it likes. script says what the SMTP server does wrong.
func newFixture(t testing.TB, script smtptest.Script) *fixture {
	t.Helper()
	h := &fixture{smtp: &smtptest.Server{Script: script}}
	h.api = cronofytest.New(cronofytest.Options{Now: clock(), Fault: func(r *cronofytest.Request) *cronofytest.Fault {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.fault == nil {
			return nil
		}
		return h.fault(r)
	}})
	t.Cleanup(func() { require.NoError(t, h.smtp.Close()) })
	t.Cleanup(func() { h.assertClean(t) })
	client, err := cronofy.New(cronofy.Config{APIKey: "CRN_secret", Transport: h.api.Transport(),
		MaxAttempts: 1, RatePerSecond: -1, RatePerMinute: -1})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	h.cfg = mailer.Config{API: client, Submitter: h.submitter(t), Now: func() time.Time { return today },
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
	return h
}

// assertClean holds everything that left to every rule of our own, unless the
// test broke a calendar.
func (h *fixture) assertClean(t testing.TB) {
	t.Helper()
	if h.fault != nil {
		return
	}
	for _, tx := range h.smtp.Accepted() {
		for _, f := range lint.Check(tx.Data, lint.Options{Profile: lint.Own, SMTPUTF8: true}) {
			if slices.Contains(h.tolerates, f.Rule) {
				continue
			}
			t.Errorf("what left breaks a rule: %v", f)
		}
	}
}

// clock ticks a second with every look at it, as DTSTAMPs must differ.
func clock() func() time.Time {
	var mu sync.Mutex
	now := today
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}
}

func (h *fixture) submitter(t testing.TB) *submission.Submitter {
	t.Helper()
	s, err := submission.New(submission.Config{Host: "localhost", TLS: submission.TLSNone, Dial: h.smtp.Dial})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Shutdown(context.Background())) })
	return s
}

func (h *fixture) setFault(f func(*cronofytest.Request) *cronofytest.Fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fault = f
}

func (h *fixture) mailer(t testing.TB) *mailer.Mailer {
	t.Helper()
	m, err := mailer.New(h.cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Shutdown(context.Background())) })
	return m
}

// send sends one invite with a new Mailer, as the next run of a command would.
func (h *fixture) send(t testing.TB, i mailer.Invite) mailer.Receipt {
	t.Helper()
	r, err := h.mailer(t).Send(context.Background(), i)
	if r.Error == nil {
		require.NoError(t, err)
	} else {
		require.ErrorIs(t, err, r.Error)
	}
	return r
}

// accepted returns the messages that the SMTP server took.
func (h *fixture) accepted(t testing.TB) []*mail.Message {
	t.Helper()
	var messages []*mail.Message
	for _, tx := range h.smtp.Accepted() {
		m, err := mail.ReadMessage(strings.NewReader(string(tx.Data)))
		require.NoError(t, err)
		messages = append(messages, m)
	}
	return messages
}

func boardMeeting() mailer.Invite {
	start := time.Date(2027, 4, 29, 9, 30, 0, 0, time.UTC)
	return mailer.Invite{
		ID:        "board-meeting",
		Recipient: mailer.Recipient{Email: "ann@example.org", Name: "Ann Lee"},
		Organizer: &mailer.Organizer{Name: "Jane Doe", Email: "jane@example.com"},
		Event: &cronofy.Event{Summary: "Board meeting", Description: "Discuss plans for the next quarter.",
			TZID:  "Europe/London",
			Start: cronofy.EventTime{Time: start}, End: cronofy.EventTime{Time: start.Add(30 * time.Minute)},
			Location: &cronofy.Location{Description: "Board room"}},
	}
}

func cancellation() mailer.Invite {
	i := boardMeeting()
	return mailer.Invite{ID: i.ID, Method: mailer.Cancel, Recipient: i.Recipient, Organizer: i.Organizer}
}

func people(n int) []mailer.Recipient {
	var list []mailer.Recipient
	for i := range n {
		list = append(list, mailer.Recipient{Email: fmt.Sprintf("person%d@example.org", i)})
	}
	return list
}

func group(n int) mailer.Group {
	i := boardMeeting()
	return mailer.Group{ID: i.ID, Recipients: people(n), Organizer: i.Organizer, Event: i.Event}
}
