package submission_test

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// everyWay adds what testdata/performance/run reports and a look at everything
// once need not.
var everyWay = flag.Bool("every-way", false, "benchmark submission with every round-trip time and number of connections")

// invitation is a message of the size of an invitation, 5.6 kB.
var invitation = []byte("From: Jane Doe <boss@example.com>\r\nTo: Ann Lee <guest@example.org>\r\nSubject: Board meeting\r\n" +
	"Message-ID: <stage@example.com>\r\nDate: Thu, 01 Apr 2027 12:00:00 +0000\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: text/plain; charset=UTF-8\r\n\r\n" +
	strings.Repeat("A line of seventy-six characters, as quoted-printable text likes to have it\r\n", 69))

// TestRoundTripsAMessage: on a kept connection a message needs two round trips
// where PIPELINING is offered, one for the commands and one for the content (RFC
// 2920 section 3.1), however the server cuts its replies into packets.
func TestRoundTripsAMessage(t *testing.T) {
	t.Parallel()
	inbox := newInbox(t, submissiontest.Options{})
	sink := &submissiontest.Sink{}
	require.NoError(t, sink.Start())
	defer func() { require.NoError(t, sink.Close()) }()
	for name, relay := range map[string]*submissiontest.Relay{
		"replies one by one": {Server: inbox.Dial},
		"replies together":   {Target: sink.Addr()},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() { require.NoError(t, relay.Close()) }()
			s := newSubmitter(t, submission.Config{Dial: relay.Dial, Connections: 1})
			require.NoError(t, s.Submit(t.Context(), envelope, invitation).Err)
			const messages = 50
			before := relay.RoundTrips()
			for range messages {
				require.NoError(t, s.Submit(t.Context(), envelope, invitation).Err)
			}
			assert.LessOrEqual(t, float64(relay.RoundTrips()-before)/messages, 2.1, "round trips a message")
			assert.Len(t, relay.RoundTripsByConnection(), 1, "one connection, kept")
		})
	}
}

// BenchmarkSubmission submits prebuilt messages on kept connections, with this
// package and with others, at one and the same server: directly without a
// round-trip time, otherwise through a relay. Besides the rate it tells the
// round trips a message.
func BenchmarkSubmission(b *testing.B) {
	sink := &submissiontest.Sink{}
	require.NoError(b, sink.Start())
	defer func() { require.NoError(b, sink.Close()) }()
	for _, rtt := range []time.Duration{0, 5 * time.Millisecond, 20 * time.Millisecond} {
		for _, conns := range []int{1, 2, 5, 10} {
			if !*everyWay && (rtt > 5*time.Millisecond || conns < 10) {
				continue
			}
			for _, c := range clients {
				b.Run(fmt.Sprintf("rtt=%dms/conns=%d/client=%s", rtt.Milliseconds(), conns, c.name), func(b *testing.B) {
					submitAll(b, sink, c, rtt, conns)
				})
			}
		}
	}
}

// submitAll submits b.N messages on so many connections, which are open before
// the clock starts.
func submitAll(b *testing.B, sink *submissiontest.Sink, c client, rtt time.Duration, conns int) {
	b.ReportAllocs()
	addr := sink.Addr()
	var relay *submissiontest.Relay
	if rtt > 0 {
		relay = &submissiontest.Relay{Target: addr, RoundTrip: rtt}
		require.NoError(b, relay.Start())
		b.Cleanup(func() { require.NoError(b, relay.Close()) })
		addr = relay.Addr()
	}
	senders := c.open(b, addr, conns)
	each(b, senders, func(send sender) error { return send() })
	trips, taken := 0, sink.Messages()
	if relay != nil {
		trips = relay.RoundTrips()
	}

	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	each(b, senders, func(send sender) error {
		for left.Add(-1) >= 0 {
			if err := send(); err != nil {
				return err
			}
		}
		return nil
	})
	b.StopTimer()
	require.Equal(b, b.N, sink.Messages()-taken, "messages")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
	if relay != nil {
		b.ReportMetric(float64(relay.RoundTrips()-trips)/float64(b.N), "trips/msg")
	}
}

// each runs do with every sender at once, and fails the benchmark with the
// first error.
func each(b *testing.B, senders []sender, do func(sender) error) {
	b.Helper()
	var wg sync.WaitGroup
	failures := make(chan error, len(senders))
	for _, s := range senders {
		wg.Go(func() {
			if err := do(s); err != nil {
				failures <- err
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failures:
		b.Fatal(err)
	default:
	}
}
