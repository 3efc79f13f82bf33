package submission_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	fault "github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// guest is a recipient of his own for each message.
func guest(i int) submission.Envelope {
	return submission.Envelope{From: envelope.From, To: fmt.Sprintf("guest%d@example.org", i)}
}

// submitTogether submits n messages at once and returns the results by message.
func submitTogether(t *testing.T, s *submission.Submitter, n int) []submission.Result {
	t.Helper()
	results := make([]submission.Result, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { results[i] = s.Submit(t.Context(), guest(i), []byte(letter)) })
	}
	wg.Wait()
	return results
}

// in runs f in a bubble of its own, with a server that is closed in the end.
func in(t *testing.T, server *fault.Server, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { assert.NoError(t, server.Close()) })
		f(t)
	})
}

// slowly is a script that takes a second for each message.
func slowly(e fault.Event) fault.Fault {
	if e.Point == fault.AtDot {
		time.Sleep(time.Second)
	}
	return fault.Fault{}
}

// A connection is opened when there is a message for it and no idle one, and
// closed with QUIT when nobody has needed it for the idle limit.
func TestConnectionsComeAndGoWithTheWork(t *testing.T) {
	t.Parallel()
	server := &fault.Server{Script: slowly}
	in(t, server, func(t *testing.T) {
		s := newSubmitter(t, submission.Config{Dial: server.Dial, Connections: 5})
		for i := range 3 {
			require.NoError(t, s.Submit(t.Context(), guest(i), []byte(letter)).Err)
		}
		assert.Equal(t, 1, server.Conns(), "one after the other needs one connection")
		submitTogether(t, s, 9)
		assert.Equal(t, 5, server.Conns())
		for range 20 {
			time.Sleep(20 * time.Second)
			require.NoError(t, s.Submit(t.Context(), envelope, []byte(letter)).Err)
		}
		assert.Equal(t, 5, server.Conns(), "the one in use is kept")
		quits := strings.Count(strings.Join(server.Commands(), "\n"), "QUIT")
		assert.Equal(t, 4, quits, "the idle ones said goodbye")
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		assert.Equal(t, "QUIT", server.Commands()[len(server.Commands())-1], "nobody has to submit for that")
		require.NoError(t, s.Submit(t.Context(), envelope, []byte(letter)).Err)
		assert.Equal(t, 6, server.Conns())
	})
}

func TestAConnectionIsReplacedAfterItsMessages(t *testing.T) {
	t.Parallel()
	server := &fault.Server{}
	in(t, server, func(t *testing.T) {
		s := newSubmitter(t, submission.Config{Dial: server.Dial})
		for i := range 250 {
			require.NoError(t, s.Submit(t.Context(), guest(i), []byte(letter)).Err)
		}
		assert.Equal(t, 3, server.Conns())
		assert.Len(t, server.Accepted(), 250)
	})
}

// A server may close, or say 421, after as many messages as it likes: nobody
// notices.
func TestServerThatClosesAfterSomeMessages(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault.Fault{"close": fault.HangUp(), "reset": fault.ResetConnection(),
		"421": fault.ShutDown()} {
		for _, after := range []int{1, 10} {
			for _, m := range []mode{lockStep, grouped} {
				sent := map[int]int{}
				var mu sync.Mutex
				server := &fault.Server{Script: func(e fault.Event) fault.Fault {
					mu.Lock()
					defer mu.Unlock()
					if e.Point != fault.AtDot {
						return fault.Fault{}
					}
					if sent[e.Conn]++; sent[e.Conn]%after == 0 {
						return fault.After(f)
					}
					return fault.Fault{}
				}}
				if m == lockStep {
					server.Extensions = []string{}
				}
				in(t, server, func(t *testing.T) {
					s := newSubmitter(t, submission.Config{Dial: server.Dial, Connections: 3})
					for range 10 {
						for i, got := range submitTogether(t, s, 6) {
							assert.Equal(
								t,
								submission.Accepted,
								got.Outcome,
								"%s after %d, %s: %v",
								name,
								after,
								m,
								got.Err,
							)
							assert.Less(t, i, 6)
						}
					}
					assert.Len(t, server.Accepted(), 60)
				})
			}
		}
	}
}

// turningAway are the ways in which a server wants no more than one connection.
func turningAway(server *fault.Server, cfg submission.Config) map[string]submission.Config {
	refused := cfg
	var dialled atomic.Int64
	refused.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if dialled.Add(1) > 1 {
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		}
		return server.Dial(ctx, network, addr)
	}
	return map[string]submission.Config{"dial": refused, "greeting": cfg, "ehlo": cfg, "auth": cfg, "mail": cfg}
}

// A server that refuses another connection fails no message, as long as one
// connection stands.
func TestServerThatRefusesASecondConnection(t *testing.T) {
	t.Parallel()
	faults := map[string]struct {
		point fault.Point
		fault fault.Fault
	}{
		"greeting": {fault.AtGreeting, fault.ShutDown()}, "ehlo": {fault.AtEHLO, fault.HangUp()},
		"auth": {fault.AtAuth, fault.Say("454 4.7.0 Too many connections")}, "mail": {fault.AtMail, fault.ShutDown()},
	}
	for name := range turningAway(nil, submission.Config{}) {
		for _, warm := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/warm=%t", name, warm), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := faults[name]
					server, cfg := setting(t, func(e fault.Event) fault.Fault {
						if e.Point == fault.AtDot || e.Point == fault.AtGreeting && e.Conn == 1 {
							time.Sleep(time.Second)
						}
						if e.Conn > 1 && e.Point == f.point {
							return f.fault
						}
						return fault.Fault{}
					})
					cfg.Connections = 5
					s := newSubmitter(t, turningAway(server, cfg)[name])
					if warm {
						require.NoError(t, s.Submit(t.Context(), envelope, []byte(letter)).Err)
					}
					begun := time.Now()
					for i, got := range submitTogether(t, s, 20) {
						assert.Equal(t, submission.Accepted, got.Outcome, "message %d: %v", i, got.Err)
						obeysLaw(t, got, guest(i).To, server)
					}
					assert.Less(
						t,
						time.Since(begun),
						25*time.Second,
						"the first connection carries them one after the other",
					)
					assert.LessOrEqual(t, server.Conns(), 5, "what is refused is not asked for again at once")
				})
			})
		}
	}
}

// The lower number is kept for five minutes, and then as many as are allowed are tried.
func TestConnectionsGrowAgain(t *testing.T) {
	t.Parallel()
	var wanted atomic.Int64
	wanted.Store(2)
	var mu sync.Mutex
	open, taken := map[int]bool{}, 0
	server := &fault.Server{Script: func(e fault.Event) fault.Fault {
		if e.Point == fault.AtDot {
			time.Sleep(10 * time.Second)
		}
		mu.Lock()
		defer mu.Unlock()
		switch e.Point {
		case fault.AtGreeting:
			if len(open) >= int(wanted.Load()) {
				return fault.ShutDown()
			}
			open[e.Conn] = true
			taken++
		case fault.AtQuit:
			delete(open, e.Conn)
		}
		return fault.Fault{}
	}}
	in(t, server, func(t *testing.T) {
		s := newSubmitter(t, submission.Config{Dial: server.Dial, Connections: 4})
		// Work without a pause for more than an hour.
		var accepted atomic.Int64
		work := func() {
			submitTogether(t, s, 3)
			for range 3 {
				var wg sync.WaitGroup
				for range 360 {
					wg.Go(func() {
						if got := s.Submit(t.Context(), envelope, []byte(letter)); assert.NoError(t, got.Err) {
							accepted.Add(1)
						}
					})
				}
				wg.Wait()
			}
		}
		work()
		assert.EqualValues(t, 3*360, accepted.Load())
		mu.Lock()
		stood := len(open)
		mu.Unlock()
		assert.Equal(t, 2, stood)
		tried := server.Conns() - taken
		assert.Greater(t, tried, 4, "more are tried now and then")
		assert.Less(t, tried, 40, "and not often")

		wanted.Store(4)
		work()
		mu.Lock()
		stood = len(open)
		mu.Unlock()
		assert.Equal(t, 4, stood, "as many as are allowed, when the server takes them")
	})
}

// A refused login is reported, and not tried again behind the caller's back,
// whatever else stands.
func TestRefusedLoginIsNotRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, cfg := setting(t, fault.Scripts(slowly, fault.Nth(2, fault.AtAuth, fault.Say("535 5.7.8 No"))))
		s := newSubmitter(t, cfg)
		results := submitTogether(t, s, 2)
		if results[0].Err == nil {
			results[0], results[1] = results[1], results[0]
		}
		assert.Equal(
			t,
			wanted{submission.Refused, submission.StepLogin, false, true},
			of(results[0]),
			"%v",
			results[0].Err,
		)
		assert.Equal(t, submission.Accepted, results[1].Outcome)
		assert.Equal(t, 2, server.Conns())
	})
}

func TestFirstComeFirstServed(t *testing.T) {
	t.Parallel()
	for _, perMinute := range []int{0, 2} {
		server := &fault.Server{Script: slowly}
		in(t, server, func(t *testing.T) {
			s := newSubmitter(t, submission.Config{Dial: server.Dial, Connections: 1, RatePerMinute: perMinute})
			var wg sync.WaitGroup
			for i := range 10 {
				wg.Go(func() { assert.NoError(t, s.Submit(t.Context(), guest(i), []byte(letter)).Err) })
				synctest.Wait()
			}
			wg.Wait()
			for i, tx := range server.Accepted() {
				assert.Equal(t, guest(i).To, tx.To)
			}
		})
	}
}

// Shutdown ends whoever waits for a connection, and waits for those in hand.
func TestShutdownWhileOthersWait(t *testing.T) {
	t.Parallel()
	server := &fault.Server{Script: slowly}
	in(t, server, func(t *testing.T) {
		s := newSubmitter(t, submission.Config{Dial: server.Dial, Connections: 2})
		var wg sync.WaitGroup
		var accepted, closed atomic.Int64
		for i := range 6 {
			wg.Go(func() {
				switch got := s.Submit(t.Context(), guest(i), []byte(letter)); {
				case got.Outcome == submission.Accepted:
					accepted.Add(1)
				case errors.Is(got.Err, submission.ErrClosed):
					assert.Equal(
						t,
						wanted{Outcome: submission.NotBegun, Step: submission.StepDial, Temporary: true},
						of(got),
					)
					closed.Add(1)
				}
			})
		}
		synctest.Wait()
		soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		err := s.Shutdown(soon)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "2 messages are still in hand")
		begun := time.Now()
		require.NoError(t, s.Shutdown(t.Context()))
		assert.Equal(t, time.Second-time.Millisecond, time.Since(begun), "until those in hand have ended")
		assert.Equal(t, 2, strings.Count(strings.Join(server.Commands(), "\n"), "QUIT"), "and their connections")
		wg.Wait()
		assert.EqualValues(t, 2, accepted.Load())
		assert.EqualValues(t, 4, closed.Load())
		ended, end := context.WithCancel(t.Context())
		end()
		for range 10 {
			assert.NoError(t, s.Shutdown(ended), "there is nothing to wait for")
		}
		assert.Equal(t, 2, strings.Count(strings.Join(server.Commands(), "\n"), "QUIT"))
	})
}
