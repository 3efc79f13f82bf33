package cronofy_test

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// network is a way to a simulator that takes time in both directions.
type network struct {
	http.RoundTripper
	up, down func() time.Duration
}

func (n network) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(n.up())
	response, err := n.RoundTripper.RoundTrip(r)
	time.Sleep(n.down())
	return response, err
}

// wanted is a small request that the simulator takes.
func wanted(n int) *cronofy.InviteRequest {
	start := time.Date(2026, 4, 29, 9, 30, 0, 0, time.UTC)
	return &cronofy.InviteRequest{
		SmartInviteID: "invite-" + strconv.Itoa(n), Recipient: &cronofy.Recipient{Email: "cronofy@example.com"},
		Event: &cronofy.Event{
			Summary: "S",
			Start:   cronofy.EventTime{Time: start},
			End:     cronofy.EventTime{Time: start.Add(time.Hour)},
		},
	}
}

// 1,200 requests at the documented limits, counted where they arrive: both
// windows are used to the full and none is refused, whatever the network does
// to the times between them. They could not be begun within less than 123 s.
func TestLimitsAreUsedToTheFull(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same network at each run
	var mu sync.Mutex
	upTo := func(limit time.Duration) func() time.Duration {
		return func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return time.Duration(random.Int64N(int64(limit)))
		}
	}
	always := func(d time.Duration) func() time.Duration { return func() time.Duration { return d } }
	// handshake keeps the first requests of all waiting for their connection.
	handshake := func() func() time.Duration {
		n := 0
		return func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			if n++; n <= cronofy.DefaultRatePerSecond {
				return 400 * ms
			}
			return 20 * ms
		}
	}
	for name, test := range map[string]struct {
		senders  int
		up, down func() time.Duration
	}{
		"all at once":                    {1200, always(25 * ms), always(25 * ms)},
		"fifty senders, jitter":          {50, upTo(250 * ms), upTo(250 * ms)},
		"fifty senders, slow to connect": {50, handshake(), always(20 * ms)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const requests = 1200
				api := cronofytest.New(cronofytest.Options{
					RatePerSecond: cronofy.DefaultRatePerSecond, RatePerMinute: cronofy.DefaultRatePerMinute,
				})
				client, err := cronofy.New(cronofy.Config{
					APIKey: "key", MaxAttempts: 1, Transport: network{api.Transport(), test.up, test.down},
				})
				require.NoError(t, err)
				begin := time.Now()
				var group sync.WaitGroup
				for sender := range test.senders {
					group.Go(func() {
						for n := sender; n < requests; n += test.senders {
							_, err := client.Create(t.Context(), wanted(n))
							assert.NoError(t, err)
						}
					})
				}
				group.Wait()
				assert.Equal(t, requests, api.Count())
				assert.GreaterOrEqual(t, time.Since(begin), 123*time.Second)
				assert.LessOrEqual(t, time.Since(begin), 127*time.Second)
			})
		})
	}
}

// When another program uses up the limit, all wait as long as the API asks, and
// none begins before; then the windows are as tight as ever: no further 429.
func TestAfterTooManyRequests(t *testing.T) {
	t.Parallel()
	for name, silent := range map[string]bool{"the API says how long": false, "it does not say": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const ours, theirs = 200, 30
				api := cronofytest.New(cronofytest.Options{
					RatePerSecond: cronofy.DefaultRatePerSecond, Latency: 50 * time.Millisecond,
				})
				refusals := &refusals{RoundTripper: api.Transport(), silent: silent}
				open := func() *cronofy.Client {
					client, err := cronofy.New(
						cronofy.Config{APIKey: "key", Transport: refusals, Rand: func() float64 { return 1 }},
					)
					require.NoError(t, err)
					return client
				}
				var group sync.WaitGroup
				send := func(client *cronofy.Client, requests int) {
					for n := range requests {
						group.Go(func() {
							_, err := client.Create(t.Context(), wanted(n))
							assert.NoError(t, err)
						})
					}
				}
				begin := time.Now()
				send(open(), theirs)
				time.Sleep(10 * time.Millisecond)
				send(open(), ours)
				group.Wait()
				// The window of the moment is over after one refusal of each
				// that was under way, and then no more are refused.
				assert.Equal(t, theirs, refusals.count)
				assert.Less(t, refusals.last.Sub(begin), time.Second)
				assert.Empty(t, refusals.early)
				assert.Equal(t, ours+theirs+refusals.count, api.Count())
				assert.Less(t, time.Since(begin), 7*time.Second)
			})
		})
	}
}

// refusals notes the answers of 429 and the requests that came too early after one.
type refusals struct {
	http.RoundTripper
	silent bool // takes Retry-After away

	mu    sync.Mutex
	count int
	last  time.Time
	until time.Time
	early []time.Time
}

func (r *refusals) RoundTrip(request *http.Request) (*http.Response, error) {
	now := time.Now()
	r.mu.Lock()
	if now.Before(r.until) {
		r.early = append(r.early, now)
	}
	r.mu.Unlock()
	response, err := r.RoundTripper.RoundTrip(request)
	if err == nil && response.StatusCode == http.StatusTooManyRequests {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.count, r.last = r.count+1, now
		if r.silent {
			response.Header.Del("Retry-After")
		}
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
			r.until = time.Now().Add(time.Duration(seconds) * time.Second)
		}
	}
	return response, err
}

// One new invite, from the request to what the answer says, against the simulator in memory: the
// client's own part and the simulator's.
func BenchmarkCreateInMemory(b *testing.B) {
	api := cronofytest.New(cronofytest.Options{})
	client, err := cronofy.New(cronofy.Config{
		APIKey: "key", Transport: api.Transport(), RatePerSecond: -1, RatePerMinute: -1,
	})
	require.NoError(b, err)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if _, err := client.Create(b.Context(), wanted(n)); err != nil {
			b.Fatal(err)
		}
	}
}
