package submission_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	fault "github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// Keywords and mechanisms are recognised in any case, before and after TLS.
func TestEHLOKeywordsInLowerCase(t *testing.T) {
	t.Parallel()
	for name, offer := range map[string]string{
		"lower case":    "250-fault.example\r\n250-starttls\r\n250 auth plain",
		"mixed case":    "250-fault.example\r\n250-StartTls\r\n250 Auth Plain",
		"AUTH=":         "250-fault.example\r\n250-STARTTLS\r\n250 AUTH=PLAIN",
		"AUTH and AUTH": "250-fault.example\r\n250-STARTTLS\r\n250-AUTH=LOGIN\r\n250 AUTH GSSAPI PLAIN",
	} {
		synctest.Test(t, func(t *testing.T) {
			server, cfg := setting(t, fault.Always(fault.AtEHLO, fault.Say(offer)))
			got := newSubmitter(t, cfg).Submit(t.Context(), envelope, []byte(letter))
			assert.Equal(t, submission.Accepted, got.Outcome, "%s: %v", name, got.Err)
			require.NoError(t, server.Close())
		})
	}
	synctest.Test(t, func(t *testing.T) { // what is announced and then refused is named
		_, cfg := setting(t, fault.Scripts(fault.Always(fault.AtEHLO, fault.Say("250-fault.example\r\n250 starttls")),
			fault.Always(fault.AtSTARTTLS, fault.Say("502 5.5.2 Error"))))
		got := newSubmitter(t, cfg).Submit(t.Context(), envelope, []byte(letter))
		assert.Equal(t, wanted{submission.Refused, submission.StepTLS, false, true}, of(got))
		assert.Equal(t, "502 5.5.2 Error", got.Reply)
		assert.ErrorContains(t, got.Err, "offers STARTTLS, and refused it (server said \"502 5.5.2 Error\")")
	})
}

// A server that knows HELO alone is good for plain mail, and only the answers
// that say so lead to HELO.
func TestHELOAfterEHLO(t *testing.T) {
	t.Parallel()
	for code, accepted := range map[int]bool{500: true, 502: true, 504: true, 501: false, 550: false,
		451: false, 250: true} {
		synctest.Test(t, func(t *testing.T) {
			server := &fault.Server{Script: fault.Once(fault.AtEHLO, fault.Say(fmt.Sprintf("%d what?", code)))}
			got := newSubmitter(t, submission.Config{Dial: server.Dial}).Submit(t.Context(), envelope, []byte(letter))
			assert.Equal(t, accepted, got.Outcome == submission.Accepted, "%d: %v", code, got.Err)
			assert.Equal(
				t,
				accepted && code != 250,
				server.Commands()[min(1, len(server.Commands())-1)][:4] == "HELO",
				"%v",
				server.Commands(),
			)
			require.NoError(t, server.Close())
		})
	}
}

// What follows the name in the reply to HELO is talk, and offers nothing.
func TestHELOOffersNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &fault.Server{Script: fault.Scripts(fault.Once(fault.AtEHLO, fault.Say("502 what?")),
			fault.Once(fault.AtEHLO, fault.Say("250-fault.example\r\n250 SIZE 1")))}
		got := newSubmitter(t, submission.Config{Dial: server.Dial}).Submit(t.Context(), envelope, []byte(letter))
		assert.Equal(t, submission.Accepted, got.Outcome, "%v", got.Err)
		require.NoError(t, server.Close())
	})
}

// To RCPT, 251 and 252 take the recipient (RFC 5321 section 4.3.2, and what
// servers do); 253 does not exist.
func TestRecipientsThatAreTakenOtherwise(t *testing.T) {
	t.Parallel()
	for code, taken := range map[int]bool{250: true, 251: true, 252: true, 253: false} {
		for _, m := range modes {
			synctest.Test(t, func(t *testing.T) {
				server := &fault.Server{}
				s := m.prepare(
					t,
					server,
					submission.Config{Dial: server.Dial},
					fault.AtRcpt,
					fault.Say(fmt.Sprintf("%d 2.1.5 Perhaps", code)),
				)
				got := s.Submit(t.Context(), envelope, []byte(letter))
				accepted := taken || m == first // which is repeated in lock-step
				assert.Equal(t, accepted, got.Outcome == submission.Accepted, "%s, %d: %v", m, code, got.Err)
				obeysLaw(t, got, envelope.To, server)
				require.NoError(t, server.Close())
			})
		}
	}
}

// Empty lines say nothing, wherever a server sends them: neither before the
// answer to the dot, which would be unknown, nor after any other.
func TestEmptyLinesBetweenReplies(t *testing.T) {
	t.Parallel()
	always := func(f fault.Fault) fault.Script {
		return func(e fault.Event) fault.Fault {
			if e.Point == fault.AtContent {
				return fault.Fault{}
			}
			return f
		}
	}
	for _, extensions := range [][]string{nil, {}} {
		for name, script := range map[string]fault.Script{
			"before the answer to the dot": fault.Always(fault.AtDot, fault.Say("\r\n250 2.0.0 Ok")),
			"many":                         fault.Always(fault.AtDot, fault.Say("\r\n\r\n\n\r\n250 2.0.0 Ok")),
			"after every answer":           always(fault.After(fault.Say("\r\n"))),
			"byte by byte":                 always(fault.Fault{Answer: true, Reply: "\r\n", OneByte: true}),
		} {
			synctest.Test(t, func(t *testing.T) {
				server := &fault.Server{Script: script, Extensions: extensions}
				s := newSubmitter(t, submission.Config{Dial: server.Dial, Connections: 1})
				for i := range 3 {
					got := s.Submit(t.Context(), guest(i), []byte(letter))
					assert.Equal(t, submission.Accepted, got.Outcome, "%v, %s: %v", extensions, name, got.Err)
				}
				assert.Len(t, server.Accepted(), 3)
				assert.Equal(t, 1, server.Conns())
				require.NoError(t, server.Close())
			})
		}
	}
	synctest.Test(t, func(t *testing.T) { // a refusal is one behind them, too, and without end they are no reply
		for reply, want := range map[string]wanted{
			"\r\n550 5.1.1 No":                         {Outcome: submission.Refused, Step: submission.StepDot},
			string(bytes.Repeat([]byte("\r\n"), 1000)): {Outcome: submission.Unknown, Step: submission.StepDot},
		} {
			server := &fault.Server{Script: fault.Always(fault.AtDot, fault.Fault{Reply: reply, Lost: true})}
			got := newSubmitter(t, submission.Config{Dial: server.Dial}).Submit(t.Context(), envelope, []byte(letter))
			assert.Equal(t, want, of(got), "%v", got.Err)
			require.NoError(t, server.Close())
		}
	})
}

// Replies in clear behind the answer to STARTTLS are not the server's under
// TLS (RFC 3207 section 6).
func TestRepliesInClearBehindSTARTTLS(t *testing.T) {
	t.Parallel()
	for _, injected := range []string{"250 fault.example", "250-fault.example\r\n250 AUTH PLAIN", "x"} {
		synctest.Test(t, func(t *testing.T) {
			server, cfg := setting(t, fault.Once(fault.AtSTARTTLS, fault.Say("220 2.0.0 Go ahead\r\n"+injected)))
			s := newSubmitter(t, cfg)
			got := s.Submit(t.Context(), envelope, []byte(letter))
			assert.Equal(t, wanted{submission.NotBegun, submission.StepTLS, true, false}, of(got))
			require.ErrorIs(t, got.Err, submission.ErrOutOfStep)
			assert.ErrorContains(t, got.Err, "STARTTLS")
			assert.Equal(t, 1, server.Conns())
			assert.Equal(
				t,
				"STARTTLS",
				server.Commands()[len(server.Commands())-1],
				"nothing was said on that connection",
			)
		})
	}
}

// A server that says nothing mostly waits for TLS to begin, and the error says
// so, whether the wait ends by the time-out or by the server.
func TestSilentServerGetsAHint(t *testing.T) {
	t.Parallel()
	for _, f := range []fault.Fault{fault.FallSilent(), fault.HangUp()} {
		for mode, hint := range map[submission.TLSMode]bool{submission.TLSStartTLS: true, submission.TLSNone: true} {
			synctest.Test(t, func(t *testing.T) {
				_, cfg := setting(t, fault.Always(fault.AtGreeting, f))
				cfg.TLS = mode
				got := newSubmitter(t, cfg).Submit(t.Context(), envelope, []byte(letter))
				assert.Equal(t, wanted{submission.NotBegun, submission.StepGreeting, true, false}, of(got))
				var e *submission.Error
				require.ErrorAs(t, got.Err, &e)
				assert.Equal(t, hint, e.Advice != "", "%s: %v", mode, e)
				assert.Contains(t, e.Advice, "Config.TLS=implicit")
			})
		}
	}
}

// Port 465 is the one for TLS from the start (RFC 8314 section 7.3): STARTTLS
// there would wait in silence until the time-out.
func TestPort465WithSTARTTLS(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		port int
		tls  submission.TLSMode
		ok   bool
	}{
		{465, submission.TLSStartTLS, false}, {465, "", false}, {465, submission.TLSImplicit, true}, {465,
			submission.TLSNone, true},
		{587, submission.TLSImplicit, true}, {25, submission.TLSImplicit, true}, {587, submission.TLSStartTLS,
			true}, {0, submission.TLSImplicit, true},
	} {
		_, err := submission.New(submission.Config{Host: "localhost", Port: tc.port, TLS: tc.tls})
		if tc.ok {
			require.NoError(t, err, "%d %s", tc.port, tc.tls)
			continue
		}
		var problem *submission.ConfigError
		require.ErrorAs(t, err, &problem, "%d %s", tc.port, tc.tls)
		assert.Equal(t, "TLS", problem.Field)
		assert.Contains(t, problem.Problem, "implicit")
	}
}

// OpenTimeout bounds all steps up to the login together, however the server
// spreads its answers over them, and none after it.
func TestOpeningIsBounded(t *testing.T) {
	t.Parallel()
	for _, silent := range []fault.Point{fault.AtGreeting, fault.AtEHLO, fault.AtSTARTTLS, fault.AtAuth} {
		synctest.Test(t, func(t *testing.T) {
			_, cfg := setting(t, fault.Always(silent, fault.FallSilent()))
			cfg.OpenTimeout = 20 * time.Second
			begun := time.Now()
			got := newSubmitter(t, cfg).Submit(t.Context(), envelope, []byte(letter))
			assert.Equal(t, 20*time.Second, time.Since(begun))
			require.ErrorIs(t, got.Err, os.ErrDeadlineExceeded)
			assert.ErrorContains(t, got.Err, "no answer within 20s")
			assert.True(t, got.Temporary)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		_, cfg := setting(t, nil)
		cfg.OpenTimeout = 20 * time.Second
		cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		begun := time.Now()
		got := newSubmitter(t, cfg).Submit(t.Context(), envelope, []byte(letter))
		assert.Equal(t, wanted{submission.NotBegun, submission.StepDial, true, false}, of(got))
		assert.Equal(t, 20*time.Second, time.Since(begun))
	})
	for wait, accepted := range map[time.Duration]bool{3 * time.Second: true,
		6 * time.Second: false} { // each of 6 answers before MAIL
		synctest.Test(t, func(t *testing.T) {
			_, cfg := setting(t, func(fault.Event) fault.Fault { time.Sleep(wait); return fault.Fault{} })
			cfg.OpenTimeout = 20 * time.Second
			begun := time.Now()
			got := newSubmitter(t, cfg).Submit(t.Context(), envelope, []byte(letter))
			assert.Equal(t, accepted, got.Outcome == submission.Accepted, "%v", got.Err)
			if !accepted {
				assert.Equal(t, 20*time.Second, time.Since(begun))
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // a slow message is not cut short by it
		_, cfg := setting(t, fault.Always(fault.AtDot, fault.FallSilent()))
		cfg.OpenTimeout = 20 * time.Second
		begun := time.Now()
		got := newSubmitter(t, cfg).Submit(t.Context(), envelope, []byte(letter))
		assert.Equal(t, submission.Unknown, got.Outcome)
		assert.Equal(t, 10*time.Minute, time.Since(begun))
	})
}

// Check waits no longer than a person does.
func TestCheckIsShort(t *testing.T) {
	t.Parallel()
	for _, silent := range []fault.Point{fault.AtGreeting, fault.AtEHLO, fault.AtSTARTTLS, fault.AtAuth} {
		synctest.Test(t, func(t *testing.T) {
			_, cfg := setting(t, fault.Always(silent, fault.FallSilent()))
			begun := time.Now()
			steps := newSubmitter(t, cfg).Check(t.Context())
			assert.Equal(t, 15*time.Second, time.Since(begun))
			assert.False(t, steps[len(steps)-1].OK)
		})
	}
}

// What takes long is told while it lasts, once, with the step: nobody must
// guess why nothing goes on.
func TestLongWaitsAreTold(t *testing.T) {
	t.Parallel()
	for point, step := range map[fault.Point]submission.Step{
		fault.AtGreeting: submission.StepGreeting, fault.AtSTARTTLS: submission.StepTLS,
		fault.AtAuth: submission.StepLogin,
		fault.AtMail: submission.StepMail, fault.AtRcpt: submission.StepRcpt,
		fault.AtData: submission.StepData, fault.AtDot: submission.StepDot,
	} {
		for took, told := range map[time.Duration]int{9 * time.Second: 0, 11 * time.Second: 1} {
			for _, extensions := range [][]string{nil, {}} {
				synctest.Test(t, func(t *testing.T) {
					var logged bytes.Buffer
					server, cfg := setting(t, func(e fault.Event) fault.Fault {
						if e.Point == point && e.Transaction < 2 {
							time.Sleep(took)
						}
						if e.Point == fault.AtRcpt && e.Transaction == 2 {
							return fault.Say("550 5.1.1 No")
						}
						return fault.Fault{}
					})
					server.Extensions = extensions
					cfg.Logger = slog.New(slog.NewTextHandler(&logged, nil))
					cfg.Connections = 1
					s := newSubmitter(t, cfg)
					require.NoError(t, s.Submit(t.Context(), envelope, []byte(letter)).Err)
					time.Sleep(time.Minute) // idle
					got := s.Submit(
						t.Context(),
						submission.Envelope{From: envelope.From, To: "refused@example.org"},
						[]byte(letter),
					)
					assert.Equal(t, submission.Refused, got.Outcome)
					time.Sleep(time.Minute)
					synctest.Wait()
					assert.Equal(
						t,
						told,
						bytes.Count(logged.Bytes(), []byte("still waiting")),
						"%s, %s: %s",
						point,
						took,
						&logged,
					)
					if told > 0 {
						assert.Contains(t, logged.String(), "step="+string(step))
					}
				})
			}
		}
	}
}
