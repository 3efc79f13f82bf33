package submission_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	fault "github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// A probe says MAIL, RCPT and RSET, hands over nothing, and leaves a connection
// on which the next message goes as usual.
func TestProbe(t *testing.T) {
	t.Parallel()
	own := submission.Envelope{From: envelope.From, To: envelope.From}
	for name, c := range map[string]struct {
		script fault.Script
		reply  string
		step   submission.Step // of the error; empty for none
		words  string
	}{
		"accepted":   {nil, "250 2.1.5 Ok", "", ""},
		"RSET fails": {fault.Once(fault.AtRset, fault.HangUp()), "250 2.1.5 Ok", "", ""},
		"RCPT refused": {fault.Once(fault.AtRcpt, fault.Say("554 5.7.1 <"+own.To+">: Relay access denied")),
			"554 5.7.1 <" + own.To + ">: Relay access denied", submission.StepRcpt,
			"Config.Username and Config.Password"},
		"MAIL refused": {fault.Once(fault.AtMail, fault.Say("553 5.7.1 Not owned by user")),
			"553 5.7.1 Not owned by user", submission.StepMail, "From"},
		"later": {fault.Once(fault.AtRcpt, fault.Say("451 4.3.0 Later")), "451 4.3.0 Later",
			submission.StepRcpt, ""},
		"hangs up":      {fault.Once(fault.AtRcpt, fault.HangUp()), "", submission.StepRcpt, "closed"},
		"out of step":   {fault.Once(fault.AtRcpt, fault.Say("354 Go ahead")), "354 Go ahead", submission.StepRcpt, ""},
		"says nonsense": {fault.Once(fault.AtRcpt, fault.Garbage()), "", submission.StepRcpt, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &fault.Server{Script: c.script}
			t.Cleanup(func() { assert.NoError(t, server.Close()) })
			s := newSubmitter(t, submission.Config{Dial: server.Dial})
			reply, err := s.Probe(t.Context(), own)
			if c.reply != "" {
				assert.Equal(t, c.reply, reply)
			}
			if c.step == "" {
				require.NoError(t, err)
			} else {
				var e *submission.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, c.step, e.Step)
				assert.Contains(t, err.Error(), c.words)
				assert.NotContains(t, err.Error(), own.To, "an error names no address")
			}
			if name == "accepted" || name == "RCPT refused" {
				assert.Equal(t, "RSET", server.Commands()[len(server.Commands())-1])
			}
			assert.False(
				t,
				slices.ContainsFunc(server.Commands(), func(l string) bool { return strings.HasPrefix(l, "DATA") }),
			)
			assert.Empty(t, server.Accepted())
			got := s.Submit(t.Context(), envelope, []byte(letter))
			assert.Equal(t, submission.Accepted, got.Outcome, "%v", got.Err)
		})
	}
	s := newSubmitter(t, submission.Config{})
	_, err := s.Probe(t.Context(), submission.Envelope{From: "nobody", To: envelope.To})
	assert.ErrorIs(t, err, submission.ErrBadMessage)
}

// What the pipeline judges a refusal by: which connection, whether a login was
// left out, and whose fault it is.
func TestResultTellsWhatARefusalIsJudgedBy(t *testing.T) {
	t.Parallel()
	server := &fault.Server{Mechanisms: []string{"PLAIN"}, Script: fault.Scripts(
		fault.Nth(
			2,
			fault.AtRcpt,
			fault.Say("554 5.7.1 Access denied"),
		),
		fault.Nth(2, fault.AtDot, fault.After(fault.HangUp())),
	)}
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	s := newSubmitter(t, submission.Config{Dial: server.Dial})
	var results []submission.Result
	for range 4 {
		results = append(results, s.Submit(t.Context(), envelope, []byte(letter)))
	}
	for i, want := range []struct {
		outcome    submission.Outcome
		cause      submission.Cause
		connection int
	}{{submission.Accepted, "", 1}, {submission.Refused, submission.CausePolicy, 1}, {submission.Accepted, "",
		1}, {submission.Accepted, "", 2}} {
		assert.Equal(t, want.outcome, results[i].Outcome, "message %d", i)
		assert.Equal(t, want.cause, results[i].Cause, "message %d", i)
		assert.Equal(t, want.connection, results[i].Connection, "message %d", i)
		assert.True(t, results[i].LoginUnused, "message %d", i)
	}

	s = newSubmitter(t, submission.Config{Dial: server.Dial, Username: "boss", Password: password})
	got := s.Submit(t.Context(), envelope, []byte(letter))
	assert.False(t, got.LoginUnused, "it is used")
	silent := &fault.Server{}
	t.Cleanup(func() { assert.NoError(t, silent.Close()) })
	got = newSubmitter(t, submission.Config{Dial: silent.Dial}).Submit(t.Context(), envelope, []byte(letter))
	assert.False(t, got.LoginUnused, "none is offered")

	away := newSubmitter(
		t,
		submission.Config{
			Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("away") },
		},
	)
	got = away.Submit(t.Context(), envelope, []byte(letter))
	assert.Zero(t, got.Connection)
	assert.Empty(t, got.Cause)
}

// 530 and a 5xx greeting stop everything, whatever the message.
func TestRefusalsBeforeAnyMessageAreConfiguration(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]fault.Script{
		"greeting": fault.Always(fault.AtGreeting, fault.Say("554 5.7.1 Client host blocked using bl.example")),
		"EHLO":     fault.Always(fault.AtEHLO, fault.Say("550 5.7.1 Helo command rejected")),
		"MAIL 530": fault.Always(fault.AtMail, fault.Say("530 5.7.0 Authentication required")),
		"RCPT 530": fault.Always(fault.AtRcpt, fault.Say("530 5.7.0 Authentication required")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &fault.Server{Script: script}
			t.Cleanup(func() { assert.NoError(t, server.Close()) })
			got := newSubmitter(t, submission.Config{Dial: server.Dial}).Submit(t.Context(), envelope, []byte(letter))
			assert.Equal(t, submission.Refused, got.Outcome)
			assert.True(t, got.Config)
			assert.True(t, got.Cause.Ours(), "%s", got.Cause)
			var e *submission.Error
			require.ErrorAs(t, got.Err, &e)
			assert.NotEmpty(t, e.Advice)
		})
	}
}
