package submissiontest_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// No test may leave a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pipe is a Server for a relay whose other end the test plays.
func pipe(ends chan<- net.Conn) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		ends <- server
		return client, nil
	}
}

// A scripted conversation has exactly so many round trips, and takes exactly so
// much time. Each step says who speaks, and what: a write for each word.
func TestRelayCountsRoundTrips(t *testing.T) {
	t.Parallel()
	const roundTrip = 20 * time.Millisecond
	for name, tc := range map[string]struct {
		script []string
		trips  int
		took   time.Duration
	}{
		"nothing said":              {script: nil, trips: 0, took: 0},
		"a greeting alone":          {script: []string{"S:220"}, trips: 0, took: roundTrip / 2},
		"the client speaks first":   {script: []string{"C:EHLO", "S:250"}, trips: 1, took: roundTrip},
		"lock-step":                 {script: []string{"S:220", "C:MAIL", "S:250", "C:RCPT", "S:250", "C:DATA", "S:354", "C:content", "S:250"}, trips: 4, took: 4*roundTrip + roundTrip/2},
		"a group in one write":      {script: []string{"S:220", "C:MAILRCPTDATA", "S:250250354", "C:content", "S:250"}, trips: 2, took: 2*roundTrip + roundTrip/2},
		"a group in pieces":         {script: []string{"S:220", "C:MAIL RCPT DATA", "S:250 250 354", "C:con tent dot", "S:250"}, trips: 2, took: 2*roundTrip + roundTrip/2},
		"the next behind the dot":   {script: []string{"S:220", "C:MAILRCPTDATA", "S:354", "C:content MAILRCPTDATA", "S:250354", "C:content", "S:250"}, trips: 3, took: 3*roundTrip + roundTrip/2},
		"an answer nobody asks for": {script: []string{"S:220", "S:421"}, trips: 0, took: roundTrip},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ends := make(chan net.Conn, 1)
				relay := &submissiontest.Relay{Server: pipe(ends), RoundTrip: roundTrip}
				client, err := relay.Dial(t.Context(), "", "")
				require.NoError(t, err)
				server := <-ends
				start := time.Now()
				for _, step := range tc.script {
					who, said, _ := strings.Cut(step, ":")
					from, to := client, server
					if who == "S" {
						from, to = server, client
					}
					for _, piece := range strings.Fields(said) {
						say(t, from, piece)
					}
					all := strings.ReplaceAll(said, " ", "")
					got := make([]byte, len(all))
					_, err := io.ReadFull(to, got)
					require.NoError(t, err)
					assert.Equal(t, all, string(got))
				}
				assert.Equal(t, tc.took, time.Since(start))
				assert.Equal(t, tc.trips, relay.RoundTrips())
				assert.Equal(t, []int{tc.trips}, relay.RoundTripsByConnection())
				require.NoError(t, relay.Close())
				assert.Equal(t, tc.trips, relay.RoundTrips(), "the count outlives the relay")
			})
		})
	}
}

// A long way is no narrow one: a thousand pieces take as long as one.
func TestRelayDoesNotDelayInSeries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ends := make(chan net.Conn, 1)
		relay := &submissiontest.Relay{Server: pipe(ends), RoundTrip: 2 * time.Second}
		client, err := relay.Dial(t.Context(), "", "")
		require.NoError(t, err)
		start := time.Now()
		for range 1000 {
			say(t, client, "piece")
		}
		got := make([]byte, 1000*len("piece"))
		_, err = io.ReadFull(<-ends, got)
		require.NoError(t, err)
		assert.Equal(t, strings.Repeat("piece", 1000), string(got))
		assert.Equal(t, time.Second, time.Since(start))
		require.NoError(t, relay.Close())
	})
}

// What is on its way is bounded: a client that nobody reads is held up.
func TestRelayHoldsUpWhoIsNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ends := make(chan net.Conn, 1)
		relay := &submissiontest.Relay{Server: pipe(ends)}
		client, err := relay.Dial(t.Context(), "", "")
		require.NoError(t, err)
		require.NoError(t, client.SetWriteDeadline(time.Now().Add(time.Minute)))
		written := 0
		for err == nil && written < 1_000_000 {
			_, err = client.Write([]byte("x"))
			written++
		}
		var timeout net.Error
		require.ErrorAs(t, err, &timeout)
		assert.Less(t, written, 2000)
		require.NoError(t, relay.Close())
	})
}

func TestRelayKeepsConnectionsApart(t *testing.T) {
	t.Parallel()
	inbox := submissiontest.NewInbox(submissiontest.Options{})
	defer func() { assert.NoError(t, inbox.Close()) }()
	relay := &submissiontest.Relay{Server: inbox.Dial}
	for range 2 {
		client, err := relay.Dial(t.Context(), "tcp", "ignored:25")
		require.NoError(t, err)
		r := bufio.NewReader(client)
		assert.Contains(t, hear(t, r), "220 ")
		say(t, client, "NOOP\r\n")
		assert.Contains(t, hear(t, r), "250 ")
	}
	assert.Equal(t, []int{1, 1}, relay.RoundTripsByConnection())
	assert.Equal(t, 2, relay.RoundTrips())
	require.NoError(t, relay.Close())
}

// listen returns a server's port and the connections to it.
func listen(t *testing.T) (addr string, conns <-chan *net.TCPConn) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	accepted := make(chan *net.TCPConn, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c.(*net.TCPConn)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String(), accepted
}

// overTCP returns both ends of a connection through a started relay.
func overTCP(t *testing.T, roundTrip time.Duration) (*submissiontest.Relay, *net.TCPConn, *net.TCPConn) {
	t.Helper()
	addr, conns := listen(t)
	relay := &submissiontest.Relay{Target: addr, RoundTrip: roundTrip}
	require.NoError(t, relay.Start())
	t.Cleanup(func() { require.NoError(t, relay.Close()) })
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", relay.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	server := <-conns
	t.Cleanup(func() { _ = server.Close() })
	return relay, c.(*net.TCPConn), server
}

// Over TCP, both ends may close one direction alone.
func TestRelayPassesAHalfClose(t *testing.T) {
	t.Parallel()
	const roundTrip = 30 * time.Millisecond
	relay, client, server := overTCP(t, roundTrip)
	question := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
	go func() {
		_, _ = client.Write(question)
		_ = client.CloseWrite()
	}()
	got, err := io.ReadAll(server)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(question, got))
	say(t, server, "answer")
	require.NoError(t, server.Close())
	got, err = io.ReadAll(client)
	require.NoError(t, err)
	assert.Equal(t, "answer", string(got))
	assert.Equal(t, 1, relay.RoundTrips())
}

// A reset arrives as a reset, at whichever end it did not begin, and after what
// was said before it.
func TestRelayPassesAReset(t *testing.T) {
	t.Parallel()
	for name, fromServer := range map[string]bool{"from the server": true, "from the client": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, from, to := overTCP(t, 2*time.Millisecond)
			if fromServer {
				from, to = to, from
			}
			say(t, from, "421")
			got := make([]byte, 3)
			_, err := io.ReadFull(to, got)
			require.NoError(t, err)
			require.NoError(t, from.SetLinger(0))
			require.NoError(t, from.Close())
			_, err = to.Read(got)
			require.Error(t, err)
			assert.NotErrorIs(t, err, io.EOF)
		})
	}
}

// A server that has closed refuses what still comes: the client learns it.
func TestRelayTellsThatNobodyReads(t *testing.T) {
	t.Parallel()
	_, client, server := overTCP(t, 0)
	require.NoError(t, server.SetLinger(0))
	require.NoError(t, server.Close())
	var err error
	for err == nil {
		_, err = client.Write([]byte("anybody?"))
	}
	require.Error(t, err)
}

func TestRelayWithoutAServer(t *testing.T) {
	t.Parallel()
	refused := errors.New("no server today")
	relay := &submissiontest.Relay{Server: func(context.Context, string, string) (net.Conn, error) { return nil, refused }}
	_, err := relay.Dial(t.Context(), "", "")
	require.ErrorIs(t, err, refused)
	require.NoError(t, relay.Start())
	require.ErrorContains(t, relay.Start(), "started before")
	client, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", relay.Addr())
	if err == nil { // the reset may come before Dial has looked
		_, err = client.Read(make([]byte, 1))
		_ = client.Close()
	}
	require.Error(t, err)
	require.NotErrorIs(t, err, io.EOF)
	require.NoError(t, relay.Close())
	require.NoError(t, relay.Close())
}

// Close does not wait for what is on its way, and nothing goes on after it.
func TestRelayCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ends := make(chan net.Conn, 1)
		relay := &submissiontest.Relay{Server: pipe(ends), RoundTrip: time.Hour}
		assert.Empty(t, relay.Addr())
		assert.Zero(t, relay.Port())
		client, err := relay.Dial(t.Context(), "", "")
		require.NoError(t, err)
		say(t, client, "EHLO")
		server := <-ends
		say(t, server, "220")
		start := time.Now()
		require.NoError(t, relay.Close())
		assert.Zero(t, time.Since(start))
		_, err = client.Read(make([]byte, 1))
		require.Error(t, err)
		_, err = server.Read(make([]byte, 1))
		require.Error(t, err)
		_, err = relay.Dial(t.Context(), "", "")
		require.Error(t, err)
	})
}
