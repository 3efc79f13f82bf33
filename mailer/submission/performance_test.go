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

	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// everyWay adds what testdata/performance/run reports and a look at everything
// once need not.
var everyWay = flag.Bool(
	"every-way",
	false,
	"benchmark submission with every round-trip time and number of connections",
)

// invitation is a message of the size of an invitation, 5.6 kB.
var invitation = []byte(
	"From: Jane Doe <boss@example.com>\r\nTo: Ann Lee <guest@example.org>\r\nSubject: Board meeting\r\n" +
		"Message-ID: <stage@example.com>\r\nDate: Thu, 01 Apr 2027 12:00:00 +0000\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: text/plain; charset=UTF-8\r\n\r\n" +
		strings.Repeat("A line of seventy-six characters, as quoted-printable text likes to have it\r\n", 69),
)

// TestRoundTripsAMessage: on a kept connection a message needs two round trips
// where PIPELINING is offered, one for the commands and one for the content (RFC
// 2920 section 3.1), however the server cuts its replies into packets.
func TestRoundTripsAMessage(t *testing.T) {
	t.Parallel()
	inbox := newInbox(t, submissiontest.Options{})
	sink := &smtptest.Sink{}
	require.NoError(t, sink.Start())
	defer func() { require.NoError(t, sink.Close()) }()
	for name, path := range map[string]*smtptest.Path{
		"replies one by one": {Server: inbox.Dial},
		"replies together":   {Server: sink.Dial},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSubmitter(t, submission.Config{Dial: path.Dial, Connections: 1})
			require.NoError(t, s.Submit(t.Context(), envelope, invitation).Err)
			const messages = 50
			before := path.RoundTrips()
			for range messages {
				require.NoError(t, s.Submit(t.Context(), envelope, invitation).Err)
			}
			assert.LessOrEqual(t, float64(path.RoundTrips()-before)/messages, 2.1, "round trips a message")
			assert.Equal(t, 1, path.Conns(), "one connection, kept")
		})
	}
}

// BenchmarkSubmission submits prebuilt messages on kept connections, with this
// package and with others, at one and the same server, over ways of several
// lengths. Besides the rate it tells the
// round trips a message.
func BenchmarkSubmission(b *testing.B) {
	sink := &smtptest.Sink{}
	require.NoError(b, sink.Start())
	defer func() { require.NoError(b, sink.Close()) }()
	for _, rtt := range []time.Duration{0, 5 * time.Millisecond, 20 * time.Millisecond} {
		for _, conns := range []int{1, 2, 5, 10} {
			if !*everyWay && (rtt > 5*time.Millisecond || conns < 10) {
				continue
			}
			for _, c := range clients {
				b.Run(
					fmt.Sprintf("rtt=%dms/conns=%d/client=%s", rtt.Milliseconds(), conns, c.name),
					func(b *testing.B) {
						submitAll(b, sink, c, rtt, conns)
					},
				)
			}
		}
	}
}

// submitAll submits b.N messages on so many connections, which are open before
// the clock starts.
func submitAll(b *testing.B, sink *smtptest.Sink, c client, rtt time.Duration, conns int) {
	b.ReportAllocs()
	path := &smtptest.Path{RoundTrip: rtt}
	senders := c.open(b, server{addr: sink.Addr().String(), dial: path.Dial}, conns)
	each(b, senders, func(send sender) error { return send() })
	trips, taken := path.RoundTrips(), sink.Messages()

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
	b.ReportMetric(float64(path.RoundTrips()-trips)/float64(b.N), "trips/msg")
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
