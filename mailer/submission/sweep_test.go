package submission_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	fault "github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

const password = "correct-horse-battery"

// wanted is what a Result must say.
type wanted struct {
	Outcome   submission.Outcome
	Step      submission.Step
	Temporary bool
	Config    bool
}

func of(r submission.Result) wanted {
	return wanted{r.Outcome, r.Step, r.Temporary, r.Config}
}

// obeysLaw fails the test when the result contradicts what the server did.
func obeysLaw(t assert.TestingT, r submission.Result, to string, server *fault.Server) {
	took := 0
	for _, tx := range server.Accepted() {
		if tx.To == to {
			took++
		}
	}
	switch r.Outcome {
	case submission.Accepted:
		assert.Equal(t, 1, took, "reported as accepted, but the server took it %d times", took)
		assert.NoError(t, r.Err)
	case submission.Refused, submission.NotBegun:
		assert.Zero(t, took, "reported as %s, but the server took it", r.Outcome)
		assert.Error(t, r.Err)
	default:
		assert.Equal(t, submission.Unknown, r.Outcome)
		assert.LessOrEqual(t, took, 1)
		assert.Error(t, r.Err)
	}
}

// mode is a way to say MAIL, RCPT and DATA.
type mode string

const (
	lockStep mode = "lock-step" // the server does not offer PIPELINING
	first    mode = "first"     // in a group, and it is the first one that the server sees
	grouped  mode = "grouped"   // in a group, after one that went well
)

var modes = []mode{lockStep, first, grouped}

// prepare makes server, whose script is nil, one for the mode: with f at point
// once the client knows what it knows in that mode.
func (m mode) prepare(
	t *testing.T,
	server *fault.Server,
	cfg submission.Config,
	point fault.Point,
	f fault.Fault,
) *submission.Submitter {
	t.Helper()
	switch m {
	case lockStep:
		server.Extensions = []string{"8BITMIME", "ENHANCEDSTATUSCODES", "SIZE 10485760"}
		fallthrough
	case first:
		server.Script = fault.Once(point, f)
		return newSubmitter(t, cfg)
	}
	// The first connection is gone when the second message comes.
	once := fault.Once(point, f)
	server.Script = func(e fault.Event) fault.Fault {
		switch {
		case e.Conn > 1:
			return once(e)
		case e.Point == fault.AtDot:
			return fault.After(fault.HangUp())
		}
		return fault.Fault{}
	}
	s := newSubmitter(t, cfg)
	before := submission.Envelope{From: envelope.From, To: "before@example.org"}
	got := s.Submit(t.Context(), before, []byte(letter))
	require.NoError(t, got.Err)
	return s
}

// setting is a server and a client that come to every point of the sweep.
func setting(t testing.TB, script fault.Script) (*fault.Server, submission.Config) {
	t.Helper()
	certificate := fault.NewCertificate()
	ca := authority(t, certificate.PEM)
	server := &fault.Server{Script: script, Certificate: certificate, Mechanisms: []string{"PLAIN"}}
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	return server, submission.Config{
		TLS:      submission.TLSStartTLS,
		CAFile:   ca,
		Username: "boss",
		Password: password,
		Dial:     server.Dial,
	}
}

// Every step of a submission, broken in every way, must end in the one right
// outcome, after the time-out of that step and no other. In the first group
// that a server sees, a MAIL or RCPT that it does not answer is repeated in
// lock-step.
func TestSweep(t *testing.T) {
	t.Parallel()
	steps := []struct {
		point   fault.Point
		step    submission.Step
		silence time.Duration
	}{
		{fault.AtGreeting, submission.StepGreeting, 5 * time.Minute},
		{fault.AtEHLO, submission.StepGreeting, 5 * time.Minute},
		{fault.AtSTARTTLS, submission.StepTLS, 5 * time.Minute},
		{fault.AtAuth, submission.StepLogin, 5 * time.Minute},
		{fault.AtMail, submission.StepMail, 5 * time.Minute},
		{fault.AtRcpt, submission.StepRcpt, 5 * time.Minute},
		{fault.AtData, submission.StepData, 2 * time.Minute},
		{fault.AtDot, submission.StepDot, 10 * time.Minute},
	}
	faults := []struct {
		name  string
		fault fault.Fault
		code  int
	}{
		{"4xx", fault.Say("450 4.2.0 Try later"), 450},
		{"5xx", fault.Say("550-5.7.1 You may\r\n550 5.7.1 not"), 550},
		{"421", fault.ShutDown(), 421},
		{"4xx and close", fault.Fault{Reply: "450 4.2.0 Try later", Then: fault.Close}, 450},
		{"5xx in one-byte packets", fault.Fault{Reply: "550 5.7.1 No", OneByte: true}, 550},
		{"close", fault.HangUp(), 0},
		{"reset", fault.ResetConnection(), 0},
		{"silence", fault.FallSilent(), 0},
		{"garbage", fault.Garbage(), 0},
		{"half a reply", fault.Fault{Reply: "250-and", Then: fault.Close}, 0},
		{"two codes", fault.Say("250-one\r\n550 two"), 0},
		{"3xx", fault.Say("399 What?"), 399},
		{"1xx", fault.Say("199 What?"), 0},
	}
	for _, m := range modes {
		for i, step := range steps {
			if m != lockStep && i < 4 {
				continue // the way to MAIL is the same
			}
			for _, f := range faults {
				t.Run(fmt.Sprintf("%s/%s/%s", m, step.point, f.name), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						server, cfg := setting(t, nil)
						s := m.prepare(t, server, cfg, step.point, f.fault)

						begun := time.Now()
						got := s.Submit(t.Context(), envelope, []byte(letter))

						want, silence := wanted{Step: step.step}, step.silence
						switch {
						case f.code >= 400:
							want.Outcome, want.Temporary = submission.Refused, f.code < 500
							want.Config = f.code >= 500 && i < 4 // up to the login
							assert.Equal(t, f.code, got.Code)
							assert.NotEmpty(t, got.EnhancedCode)
							assert.True(t, strings.HasPrefix(got.Reply, fmt.Sprint(f.code)), got.Reply)
						case m == first && (step.point == fault.AtMail || step.point == fault.AtRcpt):
							want, silence = wanted{
								Outcome: submission.Accepted,
								Step:    submission.StepDot,
							}, 30*time.Second
						case step.point == fault.AtDot:
							want.Outcome = submission.Unknown
						default:
							want.Outcome, want.Temporary = submission.NotBegun, true
						}
						assert.Equal(t, want, of(got), "%v", got.Err)
						if f.name == "silence" {
							assert.Equal(t, silence, time.Since(begun))
						} else {
							assert.Zero(t, time.Since(begun), "waited without need")
						}
						obeysLaw(t, got, envelope.To, server)
						assert.NotContains(t, fmt.Sprintf("%+v %#v", got, got), password)

						// Whatever happened, the next message goes through.
						next := submission.Envelope{From: envelope.From, To: "next@example.org"}
						after := s.Submit(t.Context(), next, []byte(letter))
						assert.Equal(t, submission.Accepted, after.Outcome, "%v", after.Err)
						obeysLaw(t, after, next.To, server)
					})
				})
			}
		}
	}
}

// What goes wrong after the answer to the dot, or at RSET, NOOP or QUIT,
// changes nothing about any message.
func TestTroubleBetweenMessagesIsNotAboutThem(t *testing.T) {
	t.Parallel()
	breaks := map[string]fault.Fault{
		"4xx": fault.Say("450 4.2.0 Try later"), "5xx": fault.Say("550 5.7.1 No"), "421": fault.ShutDown(),
		"close": fault.HangUp(), "silence": fault.FallSilent(), "garbage": fault.Garbage(),
		"twice": fault.After(fault.Say("250 2.0.0 Ok again")), "after": fault.After(fault.HangUp()),
		"421 after": fault.After(fault.ShutDown()), "one byte": {OneByte: true},
	}
	for name, f := range breaks {
		for _, point := range []fault.Point{fault.AtRset, fault.AtNoop, fault.AtQuit, fault.AtDot} {
			if point == fault.AtDot && !f.Answer {
				continue // that is the sweep's
			}
			for _, m := range []mode{lockStep, grouped} {
				t.Run(fmt.Sprintf("%s/%s/%s", m, point, name), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { troubleBetween(t, m, point, f, name == "twice") })
				})
			}
		}
	}
}

func troubleBetween(t *testing.T, m mode, point fault.Point, f fault.Fault, outOfStep bool) {
	t.Helper()
	server, cfg := setting(t, fault.Scripts(
		fault.Nth(2, fault.AtRcpt, fault.Say("550 5.1.1 Nobody")), fault.Always(point, f)))
	if m == lockStep {
		server.Extensions = []string{}
	}
	cfg.Connections = 1
	s := newSubmitter(t, cfg)
	for i := range 4 {
		env := submission.Envelope{From: envelope.From, To: fmt.Sprintf("guest%d@example.org", i)}
		got := s.Submit(t.Context(), env, []byte(letter))
		obeysLaw(t, got, env.To, server)
		if outOfStep {
			continue // the next transaction is: given up, in whatever step shows it
		}
		if i == 1 {
			assert.Equal(t, wanted{Outcome: submission.Refused, Step: submission.StepRcpt}, of(got), "%v", got.Err)
		} else if point != fault.AtDot {
			assert.Equal(t, submission.Accepted, got.Outcome, "message %d: %v", i, got.Err)
		}
		time.Sleep(time.Minute) // of the bubble: long enough for a NOOP
	}
}

// The law, over conversations that nobody thought of: an outcome never
// contradicts what the server did, and a message is never taken twice.
func TestLaw(t *testing.T) {
	t.Parallel()
	replies := []string{
		"",
		"",
		"",
		"250 2.0.0 Ok",
		"354 Go",
		"450 4.2.0 Later",
		"550 5.7.1 No",
		"421 4.3.2 Bye",
		"garbage",
		"250-half",
		"235 Hm",
		"220 Hm",
	}
	rapid.Check(t, func(rt *rapid.T) {
		type key struct {
			point fault.Point
			at    int
		}
		plan := map[key]fault.Fault{}
		for range rapid.IntRange(0, 5).Draw(rt, "faults") {
			at := key{
				rapid.SampledFrom(fault.Points()).Draw(rt, "point"),
				rapid.IntRange(0, 4).Draw(rt, "transaction"),
			}
			f := fault.Fault{
				Reply: rapid.SampledFrom(replies).Draw(rt, "reply"),
				Then: rapid.SampledFrom([]fault.Action{fault.Continue, fault.Close, fault.Reset, fault.Silence}).
					Draw(rt, "then"),
				Answer:  rapid.Bool().Draw(rt, "answer"),
				OneByte: rapid.Bool().Draw(rt, "onebyte"),
				Lost:    at.point == fault.AtDot && rapid.Bool().Draw(rt, "lost"),
			}
			if f.Then == fault.Continue && f.Reply == "250-half" {
				f.Reply = "" // nor is a reply that the next one ends to be told from one of two lines
			}
			if at.point == fault.AtData && f.Answer && f.Then == fault.Continue {
				f.Reply = "" // no client can know that this is not the answer to the dot
			}
			if (f.Answer || at.point == fault.AtContent) &&
				strings.ContainsAny(f.Reply[:min(1, len(f.Reply))], "23") {
				f.Reply = "" // nor can one know that 2xx or 354 was said out of turn
			}
			if f.Answer || f.Reply == "" && f.Then == fault.Continue || strings.HasPrefix(f.Reply, "2") {
				f.Lost = false // a server that says 2xx and forgets is lying; no client can know
			}
			plan[at] = f
		}
		server := &fault.Server{Script: func(e fault.Event) fault.Fault { return plan[key{e.Point, e.Transaction}] }}
		if rapid.Bool().Draw(rt, "lockstep") {
			server.Extensions = []string{}
		}
		conns := rapid.IntRange(1, 3).Draw(rt, "connections")
		results := map[string]submission.Result{}
		synctest.Test(t, func(t *testing.T) {
			s := newSubmitter(t, submission.Config{Dial: server.Dial, Connections: conns})
			if conns == 1 {
				for i := range 4 {
					results[guest(i).To] = s.Submit(t.Context(), guest(i), []byte(letter))
				}
			} else {
				for i, got := range submitTogether(t, s, 6) {
					results[guest(i).To] = got
				}
			}
			require.NoError(t, s.Shutdown(context.Background()))
			require.NoError(t, server.Close())
		})
		for to, got := range results {
			obeysLaw(rt, got, to, server)
		}
	})
}
