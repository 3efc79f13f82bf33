package mailer_test

import (
	"slices"
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
)

// TestStopEndsWhatHasNotBegun: a stop finishes the request and the mail that are
// under way, and does not wait for what only waits itself.
func TestStopEndsWhatHasNotBegun(t *testing.T) {
	t.Parallel()
	slowly := func(e smtptest.Event) smtptest.Fault {
		if e.Point == smtptest.AtDot {
			time.Sleep(time.Minute)
		}
		return smtptest.Fault{}
	}
	for name, tc := range map[string]struct {
		smtp   smtptest.Script
		submit submission.Config
		api    cronofytest.Options
		client cronofy.Config
		items  int
		left   int
		took   time.Duration // after the stop
		mixed  bool          // some failed before the stop, and say so
	}{
		"a greeting that never comes": {smtp: smtptest.Always(smtptest.AtGreeting, smtptest.FallSilent()), items: 3},
		"EHLO is not answered":        {smtp: smtptest.Always(smtptest.AtEHLO, smtptest.FallSilent()), items: 1},
		"a mail is under way": {smtp: slowly, submit: submission.Config{Connections: 1}, items: 3,
			left: 1, took: 59 * time.Second},
		"the mail server's limit": {submit: submission.Config{RatePerMinute: 1}, items: 3, left: 1},
		"backing off": {smtp: smtptest.Always(smtptest.AtGreeting, smtptest.ShutDown()),
			items: 3, mixed: true},
		"the API's limit": {client: cronofy.Config{RatePerMinute: 1}, items: 3, left: 1},
		"the API asks to wait": {api: cronofytest.Options{Fault: func(
			*cronofytest.Request) *cronofytest.Fault {
			return cronofytest.FaultStatus(429, 20*time.Second)
		}}, items: 3,
			mixed: true},
		"the API fails": {api: cronofytest.Options{Fault: func(
			*cronofytest.Request) *cronofytest.Fault {
			return cronofytest.FaultStatus(503, 20*time.Second)
		}}, items: 3,
			mixed: true},
		"a request is under way": {api: cronofytest.Options{Latency: 5 * time.Second}, items: 1,
			took: 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &smtptest.Server{Script: tc.smtp}
				defer func() { require.NoError(t, server.Close()) }()
				tc.submit.Host, tc.submit.TLS, tc.submit.Dial = "localhost", submission.TLSNone, server.Dial
				smtp, err := submission.New(tc.submit)
				require.NoError(t, err)
				defer func() { assert.NoError(t, smtp.Shutdown(t.Context())) }()
				tc.client.APIKey, tc.client.Transport = "key", cronofytest.New(tc.api).Transport()
				api, err := cronofy.New(tc.client)
				require.NoError(t, err)
				m, err := mailer.New(mailer.Config{API: api, Submitter: smtp, AllowPast: true})
				require.NoError(t, err)
				stop := make(chan struct{})
				time.AfterFunc(time.Second, func() { close(stop) })
				start := time.Now()
				var results []mailer.Result
				err = m.SendAll(t.Context(), slices.Values(invites(tc.items)),
					mailer.RunOptions{Concurrency: 2, RetryFor: time.Hour, Stop: stop},
					func(r mailer.Result) { results = append(results, r) })
				require.ErrorIs(t, err, mailer.ErrStopped)
				assert.Equal(t, time.Second+tc.took, time.Since(start))
				got := outcomes(results)
				assert.Equal(t, tc.left, got[mailer.Sent])
				assert.Equal(t, tc.items-tc.left, got[mailer.Deferred])
				assert.Len(t, server.Accepted(), tc.left)
				for _, r := range results {
					if e := r.Receipts[0].Error; e != nil && !tc.mixed {
						assert.Equal(t, mailer.CodeNotBegun, e.Code, "%v", e)
						assert.ErrorIs(t, e, mailer.ErrStopped)
					}
				}
			})
		})
	}
}
