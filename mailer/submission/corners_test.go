package submission_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	fault "github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// Content leaves in blocks, and a dot is doubled at the beginning of a line
// only: neither left alone because a block begins with it, nor doubled for that.
func TestDotsWhereBlocksBegin(t *testing.T) {
	t.Parallel()
	const block = 32 << 10
	server := &fault.Server{}
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	s := newSubmitter(t, submission.Config{Dial: server.Dial})
	var sent []string
	for _, blocks := range []int{1, 2} {
		for at := blocks*block - 3; at <= blocks*block+3; at++ {
			for _, before := range []string{"x", "\r\n", ".\r\n",
				"\r\n."} { // a dot within a line, at its beginning, after another
				lines := strings.Repeat("A line to fill the block with.\r\n", 1000*blocks)
				msg := lines + strings.Repeat("x", at-len(before)-len(lines)) + before + ".y\r\n..\r\n"
				require.NoError(t, s.Submit(t.Context(), envelope, []byte(msg)).Err)
				sent = append(sent, msg)
			}
		}
	}
	taken := server.Accepted()
	require.Len(t, taken, len(sent))
	for i, tx := range taken {
		assert.True(t, sent[i] == string(tx.Data), "message %d of %d bytes is not what was sent", i, len(sent[i]))
	}
}

// 503 to RCPT, after MAIL was taken, means that the server lost MAIL from the
// first group it was given: it is no refusal of the recipient. In lock-step, or
// once a group went well, it is what it says.
func TestBadSequenceInTheFirstGroup(t *testing.T) {
	t.Parallel()
	for _, m := range modes {
		for _, code := range []int{503, 550} {
			synctest.Test(t, func(t *testing.T) {
				server := &fault.Server{}
				s := m.prepare(
					t,
					server,
					submission.Config{Dial: server.Dial},
					fault.AtRcpt,
					fault.Say(fmt.Sprintf("%d 5.5.1 No", code)),
				)
				got := s.Submit(t.Context(), envelope, []byte(letter))
				want := wanted{Outcome: submission.Refused, Step: submission.StepRcpt}
				if m == first && code == 503 {
					want = wanted{Outcome: submission.Accepted, Step: submission.StepDot}
				}
				assert.Equal(t, want, of(got), "%s, %d: %v", m, code, got.Err)
				obeysLaw(t, got, envelope.To, server)
				require.NoError(t, server.Close())
			})
		}
	}
}

// A message that the server turned away has waited for its turn once: it comes
// before those that queue behind it.
func TestTurnedAwayComesFirst(t *testing.T) {
	t.Parallel()
	for point, f := range map[fault.Point]fault.Fault{fault.AtGreeting: fault.ShutDown(),
		fault.AtMail: fault.ShutDown()} {
		server := &fault.Server{Script: func(e fault.Event) fault.Fault {
			switch {
			case e.Conn > 1 && e.Point == point:
				time.Sleep(500 * time.Millisecond)
				return f
			case e.Point == fault.AtDot:
				time.Sleep(time.Second)
			}
			return fault.Fault{}
		}}
		in(t, server, func(t *testing.T) {
			s := newSubmitter(t, submission.Config{Dial: server.Dial, Connections: 2})
			var wg sync.WaitGroup
			for i := range 5 {
				wg.Go(func() { assert.NoError(t, s.Submit(t.Context(), guest(i), []byte(letter)).Err) })
				synctest.Wait()
			}
			wg.Wait()
			for i, tx := range server.Accepted() {
				assert.Equal(t, guest(i).To, tx.To, "turned away at %s", point)
			}
		})
	}
}

// A connection that came about after the server had asked for fewer is one too
// many: the next that has done its message leaves, and the other goes on.
func TestConnectionTooManyIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, cfg := setting(t, func(e fault.Event) fault.Fault {
			switch {
			case e.Point == fault.AtDot:
				time.Sleep(3 * time.Second)
			case e.Conn == 2 && e.Point == fault.AtAuth: // a reason for nobody to connect for half a second at least
				time.Sleep(100 * time.Millisecond)
				return fault.Say("535 5.7.8 No")
			case e.Conn == 3 && e.Point == fault.AtAuth: // in that time, and while one connection stands
				time.Sleep(300 * time.Millisecond)
				return fault.Say("421 4.7.0 Too many connections")
			}
			return fault.Fault{}
		})
		cfg.Connections = 4
		s := newSubmitter(t, cfg)
		var wg sync.WaitGroup
		outcomes := make([]submission.Outcome, 4)
		for i := range 4 {
			if i == 3 { // waits until it may connect
				time.Sleep(200 * time.Millisecond)
			}
			wg.Go(func() { outcomes[i] = s.Submit(t.Context(), guest(i), []byte(letter)).Outcome })
			synctest.Wait()
		}
		wg.Wait()
		assert.Equal(
			t,
			[]submission.Outcome{submission.Accepted, submission.Refused, submission.Accepted, submission.Accepted},
			outcomes,
		)
		assert.Equal(t, 4, server.Conns())
		synctest.Wait()
		assert.Equal(
			t,
			1,
			strings.Count(strings.Join(server.Commands(), "\n"), "QUIT"),
			"one of the two left at once",
		)
	})
}
