package submission_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	fault "github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// The context ends every wait at once, at every step, and leaves the Submitter
// fit for the next message.
func TestCancelAtEachStep(t *testing.T) {
	t.Parallel()
	cause := errors.New("the operator pulled the plug")
	for point, step := range map[fault.Point]submission.Step{
		fault.AtGreeting: submission.StepGreeting, fault.AtEHLO: submission.StepGreeting,
		fault.AtSTARTTLS: submission.StepTLS,
		fault.AtAuth:     submission.StepLogin, fault.AtMail: submission.StepMail, fault.AtRcpt: submission.StepRcpt,
		fault.AtData: submission.StepData, fault.AtDot: submission.StepDot,
	} {
		for name, f := range map[string]fault.Fault{"silent": fault.FallSilent(),
			"silent in TLS": fault.After(fault.FallSilent())} {
			if f.Answer && point != fault.AtSTARTTLS {
				continue
			}
			for _, m := range modes {
				t.Run(fmt.Sprint(m, "/", point, "/", name), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						server, cfg := setting(t, nil)
						s := m.prepare(t, server, cfg, point, f)
						ctx, cancel := context.WithCancelCause(t.Context())
						time.AfterFunc(time.Second, func() { cancel(cause) })
						begun := time.Now()
						got := s.Submit(ctx, envelope, []byte(letter))
						assert.Equal(t, time.Second, time.Since(begun))
						require.ErrorIs(t, got.Err, cause)
						want := wanted{Outcome: submission.NotBegun, Step: step, Temporary: true}
						if point == fault.AtDot {
							want.Outcome, want.Temporary = submission.Unknown, false
						}
						assert.Equal(t, want, of(got), "%v", got.Err)
						obeysLaw(t, got, envelope.To, server)

						after := s.Submit(
							t.Context(),
							submission.Envelope{From: envelope.From, To: "next@example.org"},
							[]byte(letter),
						)
						assert.Equal(t, submission.Accepted, after.Outcome, "%v", after.Err)
					})
				})
			}
		}
	}
}

func TestCancelWhileWaitingForAConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &fault.Server{Script: fault.Always(fault.AtDot, fault.FallSilent())}
		s := newSubmitter(t, submission.Config{Dial: server.Dial, Connections: 1})
		first, cancelFirst := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { s.Submit(first, envelope, []byte(letter)) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got := s.Submit(ctx, envelope, []byte(letter))
		assert.Equal(t, wanted{submission.NotBegun, submission.StepDial, true, false}, of(got))
		require.ErrorIs(t, got.Err, context.DeadlineExceeded)
		cancelFirst()
		wg.Wait()
		require.NoError(t, server.Close())
	})
}

// A kept connection that died while it was idle is replaced, and nobody
// notices; a new one that dies is reported.
func TestStaleConnectionIsReplacedOnce(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault.Fault{
		"close": fault.HangUp(), "reset": fault.ResetConnection(), "421": fault.ShutDown(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &fault.Server{Script: fault.Nth(2, fault.AtMail, f)}
				s := newSubmitter(t, submission.Config{Dial: server.Dial})
				for range 3 {
					got := s.Submit(t.Context(), envelope, []byte(letter))
					assert.Equal(t, submission.Accepted, got.Outcome, "%v", got.Err)
				}
				assert.Equal(t, 2, server.Conns())
				assert.Len(t, server.Accepted(), 3)
				require.NoError(t, server.Close())
			})
			synctest.Test(t, func(t *testing.T) {
				for _, extensions := range [][]string{nil, {}} {
					server := &fault.Server{Script: fault.Always(fault.AtMail, f), Extensions: extensions}
					s := newSubmitter(t, submission.Config{Dial: server.Dial})
					got := s.Submit(t.Context(), envelope, []byte(letter))
					assert.NotEqual(t, submission.Accepted, got.Outcome)
					assert.True(t, got.Temporary)
					conns := 1
					if extensions == nil && name != "421" {
						conns = 2 // it may be the group that it does not like
					}
					assert.Equal(t, conns, server.Conns(), "a new connection that fails is not dialled again")
					require.NoError(t, server.Close())
				}
			})
		})
	}
}

// Once a transaction has begun on it, a kept connection that breaks is never a
// reason to send again: the server may have taken the message.
func TestBreakingAtTheDotOfAKeptConnectionIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, point := range []fault.Point{fault.AtRcpt, fault.AtData, fault.AtDot} {
		synctest.Test(t, func(t *testing.T) {
			server := &fault.Server{Script: fault.Nth(2, point, fault.HangUp())}
			s := newSubmitter(t, submission.Config{Dial: server.Dial})
			s.Submit(t.Context(), envelope, []byte(letter))
			got := s.Submit(t.Context(), envelope, []byte(letter))
			assert.NotEqual(t, submission.Accepted, got.Outcome)
			assert.Len(t, server.Transactions(), 2, "at %s", point)
			assert.Equal(t, 1, server.Conns())
			require.NoError(t, server.Close())
		})
	}
}

// RSET and NOOP cost round trips: they are said when needed, and only then.
func TestCommandsOfAKeptConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &fault.Server{Extensions: []string{"SIZE"}, Script: fault.Scripts(
			fault.Nth(
				2,
				fault.AtRcpt,
				fault.Say("550 5.1.1 Nobody"),
			),
			fault.Nth(3, fault.AtMail, fault.Say("451 4.3.0 Busy")),
		)}
		s := newSubmitter(t, submission.Config{Dial: server.Dial, HELOName: "host.example"})
		msg := []byte("Subject: x\r\n\r\nHi\r\n")
		for i := range 5 {
			if i == 4 {
				time.Sleep(31 * time.Second)
			}
			s.Submit(t.Context(), envelope, msg)
		}
		require.NoError(t, s.Shutdown(context.Background()))
		mail, rcpt := "MAIL FROM:<boss@example.com> SIZE=18", "RCPT TO:<guest@example.org>"
		assert.Equal(
			t,
			[]string{"EHLO host.example", mail, rcpt, "DATA", mail, rcpt, "RSET", mail, mail, rcpt, "DATA",
				"NOOP", mail, rcpt, "DATA", "QUIT"},
			server.Commands(),
		)
		require.NoError(t, server.Close())
	})
	synctest.Test(t, func(t *testing.T) { // the same in groups
		server := &fault.Server{Script: fault.Scripts(
			fault.Nth(
				2,
				fault.AtRcpt,
				fault.Say("550 5.1.1 Nobody"),
			),
			fault.Nth(3, fault.AtMail, fault.Say("451 4.3.0 Busy")),
		)}
		s := newSubmitter(t, submission.Config{Dial: server.Dial, HELOName: "host.example"})
		msg := []byte("Subject: x\r\n\r\nHi\r\n")
		for i := range 7 {
			if i == 4 || i == 6 {
				time.Sleep(31 * time.Second)
			}
			s.Submit(t.Context(), envelope, msg)
		}
		require.NoError(t, s.Shutdown(context.Background()))
		group := []string{"MAIL FROM:<boss@example.com> SIZE=18", "RCPT TO:<guest@example.org>", "DATA"}
		assert.Equal(
			t,
			slices.Concat(
				[]string{"EHLO host.example"},
				group,
				group,
				[]string{"RSET"},
				group,
				[]string{"RSET"},
				group,
				[]string{"NOOP"},
				group,
				group,
				[]string{"NOOP"},
				group,
				[]string{"QUIT"},
			),
			server.Commands(),
		)
		require.NoError(t, server.Close())
	})
}

func TestConcurrentSubmissionsShareTheConnections(t *testing.T) {
	t.Parallel()
	inbox := newInbox(t, submissiontest.Options{})
	var mu sync.Mutex
	open, most := 0, 0
	s := newSubmitter(
		t,
		submission.Config{Connections: 3, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			open++
			most = max(most, open)
			return inbox.Dial(ctx, network, addr)
		}},
	)
	var wg sync.WaitGroup
	for g := range 20 {
		wg.Go(func() {
			for i := range 5 {
				got := s.Submit(
					t.Context(),
					submission.Envelope{From: envelope.From, To: fmt.Sprintf("g%d-%d@example.org", g, i)},
					[]byte(letter),
				)
				assert.Equal(t, submission.Accepted, got.Outcome, "%v", got.Err)
			}
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, most, 3)
	var to []string
	for _, m := range inbox.Messages() {
		to = append(to, m.To...)
	}
	slices.Sort(to)
	assert.Len(t, slices.Compact(to), 100, "each message once")
}

func TestRateIsASlidingWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		inbox := submissiontest.NewInbox(
			submissiontest.Options{
				Handle: func(submissiontest.Message) error { at = append(at, time.Now()); return nil },
			},
		)
		s := newSubmitter(t, submission.Config{Dial: inbox.Dial, RatePerMinute: 3})
		begun := time.Now()
		for i := range 8 {
			time.Sleep(time.Duration(i) * time.Second)
			got := s.Submit(t.Context(), envelope, []byte(letter))
			assert.Equal(t, submission.Accepted, got.Outcome, "%v", got.Err)
		}
		for i := 3; i < len(at); i++ {
			assert.GreaterOrEqual(t, at[i].Sub(at[i-3]), time.Minute, "message %d at %s", i, at[i].Sub(begun))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		got := s.Submit(ctx, envelope, []byte(letter))
		assert.Equal(t, submission.NotBegun, got.Outcome)
		require.NoError(t, s.Shutdown(context.Background()))
		require.NoError(t, inbox.Close())
	})
}

func TestDialFailuresAreTemporary(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	noSuchHost := &net.DNSError{Err: "no such host", Name: "localhost", IsNotFound: true}
	for _, err := range []error{refused, noSuchHost} {
		s := newSubmitter(
			t,
			submission.Config{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, err }},
		)
		got := s.Submit(t.Context(), envelope, []byte(letter))
		assert.Equal(t, wanted{submission.NotBegun, submission.StepDial, true, false}, of(got))
		require.ErrorIs(t, got.Err, err)
	}
	synctest.Test(t, func(t *testing.T) { // nobody answers at all
		s := newSubmitter(t, submission.Config{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		begun := time.Now()
		got := s.Submit(t.Context(), envelope, []byte(letter))
		assert.Equal(t, wanted{submission.NotBegun, submission.StepDial, true, false}, of(got))
		assert.Equal(t, 30*time.Second, time.Since(begun))
	})
}

func TestSubmitAfterClose(t *testing.T) {
	t.Parallel()
	s := newSubmitter(t, submission.Config{})
	require.NoError(t, s.Shutdown(context.Background()))
	got := s.Submit(t.Context(), envelope, []byte(letter))
	assert.Equal(
		t,
		wanted{Outcome: submission.NotBegun, Step: submission.StepDial, Temporary: true},
		of(got),
		"nobody refused it",
	)
	require.ErrorIs(t, got.Err, submission.ErrClosed)
}

// What a server cannot carry is refused before it hears of it.
func TestExtensions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		plain := &fault.Server{Extensions: []string{"SIZE 100"}}
		s := newSubmitter(t, submission.Config{Dial: plain.Dial})
		utf8 := submission.Envelope{From: envelope.From, To: "gäst@example.org", SMTPUTF8: true}
		for _, c := range []struct {
			env  submission.Envelope
			msg  string
			code int
			err  error
		}{
			{utf8, "Hi\r\n", 553, submission.ErrUnsupported},
			{envelope, "Grüezi\r\n", 554, submission.ErrUnsupported},
			{envelope, strings.Repeat("x", 99) + "\r\n", 552, submission.ErrTooLarge},
		} {
			got := s.Submit(t.Context(), c.env, []byte(c.msg))
			assert.Equal(t, wanted{Outcome: submission.Refused, Step: submission.StepMail}, of(got))
			assert.Equal(t, c.code, got.Code)
			assert.ErrorIs(t, got.Err, c.err)
		}
		assert.Empty(t, plain.Transactions())
		require.NoError(t, plain.Close())

		inbox := submissiontest.NewInbox(submissiontest.Options{SMTPUTF8: true})
		s = newSubmitter(t, submission.Config{Dial: inbox.Dial})
		for _, env := range []submission.Envelope{envelope, utf8} {
			got := s.Submit(t.Context(), env, []byte("Grüezi\r\n"))
			assert.Equal(t, submission.Accepted, got.Outcome, "%v", got.Err)
		}
		require.Len(t, inbox.Messages(), 2)
		assert.False(t, inbox.Messages()[0].SMTPUTF8, "offered, but not needed")
		assert.True(t, inbox.Messages()[1].SMTPUTF8)
		assert.True(t, inbox.Messages()[0].EightBit)
		require.NoError(t, s.Shutdown(context.Background()))
		require.NoError(t, inbox.Close())
	})
}

// Nothing of the envelope or the message may become a command.
func TestInputIsCheckedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	server := &fault.Server{}
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	s := newSubmitter(t, submission.Config{Dial: server.Dial})
	for _, to := range []string{"", "guest", "@example.org", "guest@", "a@b.org>\r\nRCPT TO:<c@d.org",
		"<a@b.org>", "a b@c.org",
		"a@b.org\n", "\"a\"b\"@c.org", "a@b..org", "a@-b.org", "gäst@example.org", "a@exämple.org",
		"a,b@c.org", "a@b.org NOTIFY=NEVER",
		strings.Repeat("a", 65) + "@b.org", ".a@b.org", "a@[300.1.1.1]", "a\x00@b.org"} {
		got := s.Submit(t.Context(), submission.Envelope{From: envelope.From, To: to}, []byte(letter))
		assert.Equal(t, wanted{Outcome: submission.NotBegun, Step: submission.StepInput}, of(got), "recipient %q", to)
		got = s.Submit(t.Context(), submission.Envelope{From: to, To: envelope.To}, []byte(letter))
		assert.Equal(t, wanted{Outcome: submission.NotBegun, Step: submission.StepInput}, of(got), "sender %q", to)
	}
	for _, msg := range []string{"", "\n", "\r", "a\nb\r\n", "a\rb\r\n", "a\r", "a\r\r\n", "\r\n.\n.\r\n"} {
		got := s.Submit(t.Context(), envelope, []byte(msg))
		assert.Equal(t, wanted{Outcome: submission.NotBegun, Step: submission.StepInput}, of(got), "message %q", msg)
		assert.ErrorIs(t, got.Err, submission.ErrBadMessage)
	}
	assert.Zero(t, server.Conns())
	for _, to := range []string{"\"a b\\\"c\"@d.org", "a+b@c.org", "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]",
		"o'hara@x_y.org"} {
		got := s.Submit(t.Context(), submission.Envelope{From: envelope.From, To: to}, []byte(letter))
		assert.Equal(t, submission.Accepted, got.Outcome, "recipient %q: %v", to, got.Err)
	}
}
