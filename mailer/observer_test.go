package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/templates"
)

// observed is an Observer that writes down what it is told: "+create" when a stage
// begins, "-create" when it ends well, "-create:rejected" when it does not, and the
// same with "/wait".
type observed struct {
	mu    sync.Mutex
	log   []string
	ids   []string
	waits []time.Duration // more than none
}

func (o *observed) Observe(_ context.Context, e mailer.Event) func(mailer.Code) {
	name, begun := string(e.Stage), time.Now()
	if e.Wait {
		name += "/wait"
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.log, o.ids = append(o.log, "+"+name), append(o.ids, e.InviteID)
	return func(c mailer.Code) {
		end := "-" + name
		if c != "" {
			end += ":" + string(c)
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.log = append(o.log, end)
		if took := time.Since(begun); e.Wait && took > 0 {
			o.waits = append(o.waits, took)
		}
	}
}

// take returns what was told since the last call.
func (o *observed) take() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	log := strings.Join(o.log, " ")
	o.log = nil
	return log
}

// failing are words that a template could not make, or of which no mail can be made.
type failing struct{ err error }

func (f failing) Render(templates.Kind, templates.Data) (templates.Content, error) {
	return templates.Content{}, f.err
}

// TestObserver: each stage of an invite's way is told once, how it ended, and
// nothing that is not done.
func TestObserver(t *testing.T) {
	t.Parallel()
	const (
		create  = "+create +create/wait -create/wait -create"
		compose = "+render -render +compose -compose"
		sent    = create + " " + compose + " +check -check +submit -submit"
	)
	for name, tc := range map[string]struct {
		api    *cronofytest.Fault
		smtp   smtptest.Script
		config func(*mailer.Config)
		then   string // the next run
		want   string
	}{
		"sent, and unchanged":  {want: sent},
		"dry run":              {config: func(c *mailer.Config) { c.DryRun = true }},
		"nobody may be mailed": {config: func(c *mailer.Config) { c.OnlyTo = []string{"*@example.com"} }},
		"refused by the API": {
			api: cronofytest.FaultStatus(422, 0), want: create + ":rejected",
		},
		"refused key": {
			api: cronofytest.FaultStatus(401, 0), want: create + ":unauthorized", then: create + ":unauthorized",
		},
		"the API asks for a long wait": {
			api: cronofytest.FaultStatus(429, time.Hour), want: create +
				":rate_limited", then: "+create +create/wait -create/wait:rate_limited -create:rate_limited",
		},
		"an unreadable calendar": {
			api: broken("nonsense"), want: create, then: create,
		},
		"no words": {
			config: func(c *mailer.Config) {
				c.Templates = failing{errors.New(
					"for ann@example.org there are no words")}
			},
			want: create + " +render -render:template", then: "+render -render:template",
		},
		"an empty mail": {
			config: func(c *mailer.Config) { c.Templates = failing{} },
			want: create +
				" +render -render +compose -compose:compose", then: "+render -render +compose -compose:compose",
		},
		"composed wrongly": {
			config: func(c *mailer.Config) { c.Templates = badWords{} },
			want:   create + " " + compose + " +check -check:composed_wrong", then: compose +
				" +check -check:composed_wrong",
		},
		"refused by the mail server": {
			smtp: first(1, smtptest.AtRcpt,
				smtptest.Say("550 5.1.1 <ann@example.org>: no such user")), want: sent + ":smtp_refused",
		},
		"no answer, and repeated": {
			smtp: first(1, smtptest.AtDot,
				smtptest.HangUp()), config: func(c *mailer.Config) { c.OnUnknown = mailer.OnUnknownResend },
			want: sent + ":no_reply", then: "+submit -submit",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o observed
			h := newRecordedFixture(t, tc.smtp)
			h.cfg.Observer = &o
			h.setFault(func(*cronofytest.Request) *cronofytest.Fault { return tc.api })
			if tc.config != nil {
				tc.config(&h.cfg)
			}
			h.send(t, boardMeeting())
			assert.Equal(t, tc.want, o.take())
			h.send(t, boardMeeting())
			assert.Equal(t, tc.then, o.take())
			for _, id := range o.ids {
				assert.Equal(t, "board-meeting", id)
			}
		})
	}
}

// TestObserverOfARun: many are told of at the same time, those of a group each by
// its mail, and all that begins ends.
func TestObserverOfARun(t *testing.T) {
	t.Parallel()
	var o observed
	h := newFixture(t, nil)
	h.cfg.Observer = &o
	three := group(3)
	results, err := runAll(t, h.cfg, append(invites(20), mailer.Item{Group: &three}),
		mailer.RunOptions{Concurrency: 4, Mails: 2})
	require.NoError(t, err)
	require.Equal(t, 23, outcomes(results)[mailer.Sent])
	counts := make(map[string]int)
	for _, told := range o.log {
		counts[told]++
	}
	want := make(map[string]int)
	for name, n := range map[string]int{
		// At the gate of the run, and at the limit of the API; the mail server has none.
		"create/wait": 42, "submit/wait": 23,
		"create": 21, "render": 23, "compose": 23, "check": 23, "submit": 23,
	} {
		want["+"+name], want["-"+name] = n, n
	}
	assert.Equal(t, want, counts)
	assert.NotContains(t, fmt.Sprint(o.log, o.ids), "@")
}

// TestObserverOfAStoppedRun: what waits for its turn when the run is stopped ends
// waiting, and begins nothing.
func TestObserverOfAStoppedRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var o observed
		h := newFixture(t, nil)
		h.cfg.Observer = &o
		h.cfg.API = apiFunc(func(context.Context, *cronofy.InviteRequest) (*cronofy.SmartInvite, error) {
			time.Sleep(time.Second)
			return nil, &cronofy.Error{Status: 401}
		})
		_, err := runAll(t, h.cfg, invites(3), mailer.RunOptions{Concurrency: 2})
		require.Error(t, err)
		log := o.take()
		assert.Equal(t, 2, strings.Count(log, "-create:unauthorized"), log)
		assert.Equal(t, 1, strings.Count(log, "-create/wait:not_begun"), log)
		assert.Equal(t, []time.Duration{time.Second}, o.waits)
	})
}

// TestObserverSeesWaits: what waits for a limit does so between its two calls, and
// what ends it is told.
func TestObserverSeesWaits(t *testing.T) {
	t.Parallel()
	aMinute := func(waits []time.Duration) bool {
		return len(waits) == 1 && waits[0] > 58*time.Second && waits[0] < 62*time.Second
	}
	aSecond := func(waits []time.Duration) bool {
		return !slices.ContainsFunc(waits, func(d time.Duration) bool { return d > time.Second })
	}
	for name, tc := range map[string]struct {
		client cronofy.Config
		smtp   submission.Config
		end    func(context.Context, chan struct{}) (context.Context, context.CancelFunc)
		waits  func([]time.Duration) bool
		told   string
	}{
		"the API's":         {client: cronofy.Config{RatePerMinute: 1}, waits: aMinute},
		"the mail server's": {smtp: submission.Config{RatePerMinute: 1}, waits: aMinute},
		"the API's, stopped": {client: cronofy.Config{RatePerMinute: 1}, end: stopSoon, waits: aSecond,
			told: "+create/wait -create/wait:not_begun -create:not_begun"},
		"the mail server's, stopped": {smtp: submission.Config{RatePerMinute: 1}, end: stopSoon, waits: aSecond,
			told: "+submit/wait -submit/wait:not_begun -submit:not_begun"},
		"the API's, cancelled": {client: cronofy.Config{RatePerMinute: 1}, end: cancelSoon, waits: aSecond,
			told: "+create/wait -create/wait:interrupted -create:interrupted"},
		"the mail server's, cancelled": {smtp: submission.Config{RatePerMinute: 1}, end: cancelSoon, waits: aSecond,
			told: "+submit/wait -submit/wait:interrupted -submit:interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &smtptest.Server{}
				defer func() { require.NoError(t, server.Close()) }()
				tc.smtp.Host, tc.smtp.TLS, tc.smtp.Dial = "localhost", submission.TLSNone, server.Dial
				smtp, err := submission.New(tc.smtp)
				require.NoError(t, err)
				defer func() { assert.NoError(t, smtp.Shutdown(t.Context())) }()
				tc.client.APIKey, tc.client.Transport = "key", cronofytest.New(cronofytest.Options{}).Transport()
				api, err := cronofy.New(tc.client)
				require.NoError(t, err)
				defer api.Close()
				var o observed
				m, err := mailer.New(mailer.Config{API: api, Submitter: smtp, AllowPast: true, Observer: &o})
				require.NoError(t, err)
				ctx, cancel, stop := t.Context(), context.CancelFunc(func() {}), make(chan struct{})
				if tc.end != nil {
					ctx, cancel = tc.end(ctx, stop)
				}
				defer cancel()
				_ = m.SendAll(ctx, slices.Values(invites(2)), mailer.RunOptions{Stop: stop}, nil)
				assert.True(t, tc.waits(o.waits), "%v", o.waits)
				assert.Contains(t, o.take(), tc.told)
			})
		})
	}
}

func stopSoon(ctx context.Context, stop chan struct{}) (context.Context, context.CancelFunc) {
	time.AfterFunc(time.Second, func() { close(stop) })
	return ctx, func() {}
}

func cancelSoon(ctx context.Context, _ chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(time.Second, cancel)
	return ctx, cancel
}

// incurious takes no interest in how stages end.
type incurious struct{}

func (incurious) Observe(context.Context, mailer.Event) func(mailer.Code) { return nil }

func TestObserverNeedNotKnowTheEnd(t *testing.T) {
	t.Parallel()
	h := newFixture(t, nil)
	h.cfg.Observer = incurious{}
	assert.Equal(t, mailer.Sent, h.send(t, boardMeeting()).Outcome)
}
