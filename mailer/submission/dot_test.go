package submission_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	fault "github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// A message of several blocks: the content breaks off before its end was
// handed over, so the server cannot have taken it.
func TestContentThatBreaksOffIsNotBegun(t *testing.T) {
	t.Parallel()
	long := []byte(strings.Repeat("This line is there to fill the message.\r\n", 5000))
	for name, f := range map[string]fault.Fault{
		"close": {Then: fault.Close, Bytes: 1000}, "reset": {Then: fault.Reset, Bytes: 40000},
		"421": {Reply: "421 4.3.0 Out of memory", Then: fault.Close, Bytes: 10},
		"552": {Reply: "552 5.3.4 Too big", Bytes: 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &fault.Server{Script: fault.Once(fault.AtContent, f)}
			t.Cleanup(func() { assert.NoError(t, server.Close()) })
			require.NoError(t, server.Start())
			s := newSubmitter(t, submission.Config{Host: "127.0.0.1", Port: server.Port()})
			got := s.Submit(t.Context(), envelope, long)
			obeysLaw(t, got, envelope.To, server)
			// The kernel's buffers decide how far the client got, and whether
			// it sees a reply that a reset followed: only 552 is certain.
			assert.Contains(t, []submission.Step{submission.StepContent, submission.StepDot}, got.Step)
			if name == "552" {
				assert.Equal(t, wanted{Outcome: submission.Refused, Step: submission.StepDot}, of(got), "%v", got.Err)
			} else {
				assert.NotEqual(t, submission.Accepted, got.Outcome)
			}
			after := s.Submit(t.Context(), envelope, long)
			assert.Equal(t, submission.Accepted, after.Outcome, "%v", after.Err)
		})
	}
}

// cutConn is a connection that breaks when the content comes to a certain
// byte.
type cutConn struct {
	net.Conn
	left *int // bytes of content that still pass
}

func (c cutConn) Write(b []byte) (int, error) {
	if len(b) > 1000 { // content, not a command
		if *c.left -= len(b); *c.left < 0 {
			return 0, errors.Join(io.ErrClosedPipe, c.Close())
		}
	}
	return c.Conn.Write(b)
}

// The block that holds the dot is the border between known and unknown.
func TestTheDotIsTheBorder(t *testing.T) {
	t.Parallel()
	long := []byte(strings.Repeat("This line is there to fill the message.\r\n", 5000))
	for left := 0; left < len(long)-40_000; left += 30_000 {
		synctest.Test(t, func(t *testing.T) {
			server := &fault.Server{}
			remaining := left
			s := newSubmitter(
				t,
				submission.Config{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := server.Dial(ctx, network, addr)
					return cutConn{conn, &remaining}, err
				}},
			)
			got := s.Submit(t.Context(), envelope, long)
			assert.Equal(
				t,
				wanted{submission.NotBegun, submission.StepContent, true, false},
				of(got),
				"cut after %d: %v",
				left,
				got.Err,
			)
			require.NoError(t, server.Close())
			obeysLaw(t, got, envelope.To, server)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		server := &fault.Server{}
		remaining := len(long) // the dot's three bytes are over it
		s := newSubmitter(
			t,
			submission.Config{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := server.Dial(ctx, network, addr)
				return cutConn{conn, &remaining}, err
			}},
		)
		got := s.Submit(t.Context(), envelope, long)
		assert.Equal(t, wanted{Outcome: submission.Unknown, Step: submission.StepDot}, of(got), "%v", got.Err)
		require.NoError(t, server.Close())
		obeysLaw(t, got, envelope.To, server)
	})
}

// A short message leaves in one write, dot included: once that was tried,
// nobody knows.
func TestBreakingInTheLastBlockIsUnknown(t *testing.T) {
	t.Parallel()
	for _, f := range []fault.Fault{{Then: fault.Close, Bytes: 5}, {Then: fault.Silence, Bytes: 5},
		{Reply: "garbage", Bytes: 5}} {
		synctest.Test(t, func(t *testing.T) {
			server, cfg := setting(t, fault.Once(fault.AtContent, f))
			s := newSubmitter(t, cfg)
			got := s.Submit(t.Context(), envelope, []byte(letter))
			assert.Equal(t, wanted{Outcome: submission.Unknown, Step: submission.StepDot}, of(got), "%v", got.Err)
			obeysLaw(t, got, envelope.To, server)
		})
	}
}
