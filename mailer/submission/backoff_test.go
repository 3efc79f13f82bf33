package submission_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	fault "github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// While no connection can be had, they are tried ever more rarely: after 1
// second at most, 2, 4, and so on to 30.
func TestBackoff(t *testing.T) {
	t.Parallel()
	down := true
	var tried []time.Time
	server := &fault.Server{}
	in(t, server, func(t *testing.T) {
		refused := errors.New("connection refused")
		s := newSubmitter(
			t,
			submission.Config{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				tried = append(tried, time.Now())
				if down {
					return nil, refused
				}
				return server.Dial(ctx, network, addr)
			}},
		)
		begun := time.Now()
		for time.Since(begun) < 5*time.Minute {
			before := time.Now()
			got := s.Submit(t.Context(), envelope, []byte(letter))
			assert.Equal(t, wanted{submission.NotBegun, submission.StepDial, true, false}, of(got))
			require.ErrorIs(t, got.Err, refused)
			assert.LessOrEqual(t, time.Since(before), 5*time.Second, "a Submit waits no longer")
			time.Sleep(100 * time.Millisecond)
		}
		for i := 1; i < len(tried); i++ {
			bound := min(30*time.Second, time.Second<<min(i-1, 10))
			assert.GreaterOrEqual(t, tried[i].Sub(tried[i-1]), bound/2, "try %d", i)
			assert.LessOrEqual(t, tried[i].Sub(tried[i-1]), bound+200*time.Millisecond, "try %d", i)
		}
		assert.Greater(t, len(tried), 12)

		down = false
		time.Sleep(30 * time.Second)
		require.NoError(t, s.Submit(t.Context(), envelope, []byte(letter)).Err)
	})
}

// The context ends the wait for the backoff, and Close does not mind it.
func TestCancelInBackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		s := newSubmitter(t, submission.Config{Dial: func(context.Context, string, string) (net.Conn, error) {
			dials++
			return nil, errors.New("connection refused")
		}})
		s.Submit(t.Context(), envelope, []byte(letter))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		got := s.Submit(ctx, envelope, []byte(letter))
		assert.Equal(t, wanted{submission.NotBegun, submission.StepDial, true, false}, of(got))
		require.ErrorIs(t, got.Err, context.DeadlineExceeded)
		assert.Equal(t, 1, dials)
	})
}

// When the server is gone, everybody hears of it at once, and it is no reason
// for fewer connections later.
func TestServerThatIsGone(t *testing.T) {
	t.Parallel()
	server := &fault.Server{Script: slowly}
	in(t, server, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		s := newSubmitter(
			t,
			submission.Config{
				Connections: 5,
				Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
					time.Sleep(time.Millisecond)
					if down.Load() {
						return nil, errors.New("connection refused")
					}
					return server.Dial(ctx, network, addr)
				},
			},
		)
		begun := time.Now()
		for _, got := range submitTogether(t, s, 5) {
			assert.Equal(t, wanted{submission.NotBegun, submission.StepDial, true, false}, of(got))
		}
		assert.Less(t, time.Since(begun), time.Second)
		down.Store(false)
		for _, got := range submitTogether(t, s, 10) {
			assert.NoError(t, got.Err)
		}
		assert.Equal(t, 5, server.Conns())
	})
}
