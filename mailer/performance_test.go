package mailer_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// TestRateLimitsAreUsedToTheFull: 1,200 invites at the API's documented 50 a
// second and 500 a minute, over sliding windows. 500 fit into each of the first
// two minutes; the last 200 take a little more than 3 s of the third. Nothing
// is asked too early.
func TestRateLimitsAreUsedToTheFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		simulator := cronofytest.New(cronofytest.Options{RatePerSecond: cronofy.DefaultRatePerSecond, RatePerMinute: cronofy.DefaultRatePerMinute,
			Latency: 50 * time.Millisecond})
		var refused atomic.Int64
		api, err := cronofy.New(cronofy.Config{APIKey: "key", Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := simulator.Transport().RoundTrip(r)
			if err == nil && response.StatusCode == http.StatusTooManyRequests {
				refused.Add(1)
			}
			return response, err
		})})
		require.NoError(t, err)
		var mails atomic.Int64
		inbox := submissiontest.NewInbox(submissiontest.Options{Handle: func(submissiontest.Message) error {
			mails.Add(1)
			return nil
		}})
		defer func() { require.NoError(t, inbox.Close()) }()
		smtp, err := submission.New(submission.Config{Host: "localhost", TLS: submission.TLSNone, Dial: inbox.Dial, Connections: 2})
		require.NoError(t, err)
		defer func() { require.NoError(t, smtp.Shutdown(context.Background())) }()
		m, err := mailer.New(mailer.Config{API: api, Submitter: smtp, AllowPast: true})
		require.NoError(t, err)
		defer func() { require.NoError(t, m.Shutdown(context.Background())) }()

		start := time.Now()
		sent := 0
		err = m.SendAll(t.Context(), slices.Values(invites(1200)), mailer.RunOptions{Concurrency: atOnce}, func(r mailer.Result) {
			if r.Receipts[0].Outcome == mailer.Sent {
				sent++
			}
		})
		took := time.Since(start)
		require.NoError(t, err)
		assert.Equal(t, 1200, sent)
		assert.EqualValues(t, 1200, mails.Load())
		assert.Zero(t, refused.Load(), "429s")
		t.Attr("virtual-seconds", fmt.Sprint(took.Seconds())) // testdata/performance reports it
		assert.LessOrEqual(t, took, 127*time.Second)
	})
}

// BenchmarkOverlap holds the whole way against the slower of its two servers
// asked alone, 10 at once: an API with 50 ms of latency, and an SMTP server with
// round trips of 20 ms. The three take turns.
func BenchmarkOverlap(b *testing.B) {
	n, rounds := *measuredInvites, *measuredRounds
	w := newWay(b, wayOptions{latency: 50 * time.Millisecond, roundTrip: 20 * time.Millisecond})
	s := w.take(b)
	submit := func(int) error { return w.smtp.Submit(b.Context(), s.envelope, s.message).Err }
	spread(b, atOnce, submit) // the connections
	run := 0
	for b.Loop() {
		var api, smtp, way []float64
		rate := func(do func()) float64 {
			start := time.Now()
			do()
			return float64(n) / time.Since(start).Seconds()
		}
		for range rounds {
			run++
			api = append(api, rate(func() {
				spread(b, n, func(i int) error {
					_, err := w.api.Create(b.Context(), request(fmt.Sprintf("alone-%d-%d", run, i)))
					return err
				})
			}))
			smtp = append(smtp, rate(func() { spread(b, n, submit) }))
			way = append(way, rate(func() { w.sendAll(b, fmt.Sprintf("way-%d", run), n) }))
		}
		b.ReportMetric(median(api), "api-invites/s")
		b.ReportMetric(median(smtp), "smtp-invites/s")
		b.ReportMetric(median(way), "way-invites/s")
		b.ReportMetric(median(way)/min(median(api), median(smtp)), "way/slower")
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
