package cronofy

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// step is one answer: a status, with a Retry-After if it is not empty, or a
// broken connection if the status is 0.
type step struct {
	status     int
	retryAfter string
}

// script answers the n-th request with the n-th step, the last one for good,
// and notes when each came.
type script struct {
	mu    sync.Mutex
	steps []step
	begin time.Time
	times []time.Duration
}

func newScript(steps ...step) *script { return &script{steps: steps, begin: time.Now()} }

func (s *script) RoundTrip(*http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times = append(s.times, time.Since(s.begin))
	next := s.steps[min(len(s.times), len(s.steps))-1]
	if next.status == 0 {
		return nil, errors.New("connection lost")
	}
	return answer(next.status, `{}`, "Retry-After", next.retryAfter), nil
}

// What is repeated, when, and what is not. Rand is 1, so that every wait is
// the longest that jitter makes: 500 ms, 1 s, 2 s.
func TestRepeats(t *testing.T) {
	t.Parallel()
	type steps = []step
	const ms = time.Millisecond
	tests := map[string]struct {
		steps  steps
		adapt  func(*Config)
		times  []time.Duration
		passes bool
	}{
		"succeeds at once": {steps: steps{{status: 200}}, times: []time.Duration{0}, passes: true},
		"transport, then 503": {
			steps:  steps{{}, {status: 503}, {status: 200}},
			times:  []time.Duration{0, 500 * ms, 1500 * ms},
			passes: true,
		},
		"500, 502, 504": {
			steps:  steps{{status: 500}, {status: 502}, {status: 504}, {status: 200}},
			times:  []time.Duration{0, 500 * ms, 1500 * ms, 3500 * ms},
			passes: true,
		},
		"never ends": {steps: steps{{status: 503}}, times: []time.Duration{0, 500 * ms, 1500 * ms, 3500 * ms}},
		"no repeats": {
			steps: steps{{status: 503}},
			adapt: func(c *Config) { c.MaxAttempts = 1 },
			times: []time.Duration{0},
		},
		"no jitter": {
			steps:  steps{{status: 503}, {status: 200}},
			adapt:  func(c *Config) { c.Rand = func() float64 { return 0 } },
			times:  []time.Duration{0, 0},
			passes: true,
		},
		"429 with seconds": {
			steps:  steps{{429, "7"}, {status: 200}},
			times:  []time.Duration{0, 7500 * ms},
			passes: true,
		},
		"429 without a wait": {
			steps:  steps{{status: 429}, {status: 200}},
			times:  []time.Duration{0, 500 * ms},
			passes: true,
		},
		"503 with seconds": {
			steps:  steps{{503, "3"}, {status: 200}},
			times:  []time.Duration{0, 3500 * ms},
			passes: true,
		},
		"429 beyond MaxWait": {steps: steps{{429, "31"}}, times: []time.Duration{0}},
		"503 beyond MaxWait": {steps: steps{{503, "31"}}, times: []time.Duration{0}},
		"longer MaxWait": {
			steps: steps{{429, "31"}, {status: 200}}, adapt: func(c *Config) { c.MaxWait = time.Minute },
			times: []time.Duration{0, 31500 * ms}, passes: true,
		},
		"400": {steps: steps{{status: 400}}, times: []time.Duration{0}},
		"401": {steps: steps{{status: 401}}, times: []time.Duration{0}},
		"402": {steps: steps{{status: 402}}, times: []time.Duration{0}},
		"403": {steps: steps{{status: 403}}, times: []time.Duration{0}},
		"404": {steps: steps{{status: 404}}, times: []time.Duration{0}},
		"422": {steps: steps{{status: 422}}, times: []time.Duration{0}},
		"423": {steps: steps{{status: 423}}, times: []time.Duration{0}},
		"501": {steps: steps{{status: 501}}, times: []time.Duration{0}},
		"520": {steps: steps{{status: 520}}, times: []time.Duration{0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newScript(test.steps...)
				client := offline(t, s.RoundTrip, func(c *Config) {
					if test.adapt != nil {
						test.adapt(c)
					}
				})
				_, err := client.Create(t.Context(), documentedRequest())
				assert.Equal(t, test.passes, err == nil, err)
				assert.Equal(t, test.times, s.times)
			})
		})
	}
}

// Retry-After as a date asks for no less than as seconds.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
		for text, want := range map[string]time.Duration{
			"":                      0,
			"0":                     0,
			"120":                   2 * time.Minute,
			" 5 ":                   5 * time.Second,
			"-5":                    0,
			"1.5":                   0,
			"soon":                  0,
			"99999999999":           maxRetryAfter,
			"18446744073709551615":  maxRetryAfter,
			"184467440737095516150": 0,
			at(90 * time.Second):    90 * time.Second,
			at(-time.Hour):          0,
		} {
			assert.Equal(t, want, retryAfter(http.Header{"Retry-After": {text}}), text)
		}
	})
}

// The wait that the API asks one caller for holds for all who share the client.
func TestRetryAfterHoldsForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScript(step{429, "10"}, step{status: 200})
		client := offline(t, s.RoundTrip)
		var group sync.WaitGroup
		for range 5 {
			group.Go(func() {
				_, err := client.Create(t.Context(), documentedRequest())
				assert.NoError(t, err)
			})
			synctest.Wait()
		}
		group.Wait()
		require.Len(t, s.times, 6)
		for _, at := range s.times[1:] {
			assert.GreaterOrEqual(t, at, 10*time.Second)
		}
	})
}

// If the API asks for more than MaxWait, the others do not ask it in vain.
func TestLongHoldIsAnsweredHere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScript(step{429, "3600"}, step{status: 200})
		client := offline(t, s.RoundTrip)
		for i := range 3 {
			_, err := client.Create(t.Context(), documentedRequest())
			var limited *Error
			require.ErrorAs(t, err, &limited)
			assert.Equal(t, Error{Status: 429, RetryAfter: time.Hour, Local: i > 0}, *limited)
		}
		assert.Equal(t, []time.Duration{0}, s.times)
		time.Sleep(time.Hour)
		_, err := client.Create(t.Context(), documentedRequest())
		require.NoError(t, err)
	})
}

// A wait that the caller's deadline would cut short is not begun, and a
// cancelled one ends at once: the caller still learns what the API said.
func TestRepeatsObeyTheContext(t *testing.T) {
	t.Parallel()
	t.Run("deadline", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newScript(step{503, "20"})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := offline(t, s.RoundTrip).Create(ctx, documentedRequest())
			var server *Error
			require.ErrorAs(t, err, &server)
			assert.Equal(t, 20*time.Second, server.RetryAfter)
			assert.Zero(t, time.Since(s.begin))
			assert.Len(t, s.times, 1)
		})
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newScript(step{503, "20"})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(3*time.Second, cancel)
			_, err := offline(t, s.RoundTrip).Create(ctx, documentedRequest())
			require.ErrorIs(t, err, context.Canceled)
			var server *Error
			require.ErrorAs(t, err, &server)
			assert.Equal(t, 3*time.Second, time.Since(s.begin))
		})
	})
	t.Run("the limit comes too late", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newScript(step{status: 200})
			client := offline(t, s.RoundTrip, func(c *Config) { c.RatePerMinute = 1 })
			_, err := client.Create(t.Context(), documentedRequest())
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err = client.Create(ctx, documentedRequest())
			require.ErrorIs(t, err, context.DeadlineExceeded)
			var failure *Error
			require.ErrorAs(t, err, &failure)
			assert.False(t, failure.NotConnected)
			assert.Zero(t, time.Since(s.begin))
			assert.Len(t, s.times, 1)
		})
	})
}

// Every decision is logged with its reason, so that the operator need not guess why
// a call took long or gave up.
func TestDecisionsAreLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		s := newScript(step{status: 503}, step{status: 404})
		client := offline(t, s.RoundTrip, func(c *Config) {
			c.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		_, err := client.Create(t.Context(), documentedRequest())
		require.Error(t, err)
		assert.Contains(
			t,
			logged.String(),
			`attempt=1 repeat=true reason="a failure of the server is usually temporary" wait=500ms`,
		)
		assert.Contains(
			t,
			logged.String(),
			`attempt=2 repeat=false reason="what is not there will not be found by asking again"`,
		)
	})
}

// Jitter outside its range must not make waits negative or endless.
func TestBackoffIsBounded(t *testing.T) {
	t.Parallel()
	for _, random := range []float64{-1, 0, 0.5, 1, 7} {
		client := &Client{config: Config{Rand: func() float64 { return random }}}
		for attempt := 1; attempt < 100; attempt++ {
			wait := client.backoff(&Error{RetryAfter: time.Second}, attempt)
			assert.GreaterOrEqual(t, wait, time.Second)
			assert.LessOrEqual(t, wait, time.Second+maxBackoff)
		}
	}
}
