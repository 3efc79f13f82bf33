package submission

import (
	"cmp"
	"context"
	"strings"
	"sync/atomic"
	"time"
)

// restLimit bounds the wait for the replies to what follows a refused command, which change nothing
// any more. A server that throttles clients after an error needs some seconds for them.
const restLimit = 10 * time.Second

// groups is what is known of a server that offers PIPELINING (RFC 2920): an offer is no proof
// that it can.
type groups struct {
	proven  atomic.Bool // one group had all its answers
	spoiled atomic.Bool // the first went wrong: lock-step from then on
}

// settle draws the conclusion from a message that was repeated in lock-step: when the server
// answered that, it was the group that it could not take.
func (g *groups) settle(e *Error) bool {
	return (e == nil || e.Code != 0) && !g.spoiled.Swap(true)
}

// group says MAIL, RCPT and DATA in one write and reads each reply (RFC 2920 section 3.1). It
// returns nil only when the server waits for the content of this message. The first refusal is the
// outcome; a command that is taken behind it ends the connection.
//
// An *Error that is ungrouped says that the server has never answered a group as it should, and of
// this one not even RCPT: lock-step may do better. No content was sent.
func (c *session) group(ctx context.Context, commands []command) (refused *Error) {
	if c.ahead() {
		return c.unasked(StepMail)
	}
	known := c.s.groups
	c.needReset = true
	var lines strings.Builder
	for _, cmd := range commands {
		lines.WriteString(cmd.line + "\r\n")
	}
	var writeErr error
	for i, cmd := range commands {
		// Whether it takes what stands behind a command is to be seen.
		trial := refused == nil && !known.proven.Load() && cmd.step != StepData
		limit := cmd.limit
		switch {
		case trial:
			limit = connectTimeout
		case refused != nil:
			limit = restLimit
		}
		c.wire.within(limit)
		if i == 0 {
			_, writeErr = c.conn.Write([]byte(lines.String()))
		}
		r, e := c.receive(ctx, cmd.step, limit, writeErr)
		if e == nil {
			e = c.check(cmd, r)
		}
		// 503 is "bad sequence of commands": MAIL, which was taken, was lost.
		if e != nil && trial && (e.Err != nil || cmd.step == StepRcpt && e.Code == 503) {
			c.broken, e.ungrouped = true, ctx.Err() == nil
		}
		if e != nil && cmd.step == StepMail {
			e = c.mailFailed(e)
		}
		if e == nil && refused != nil {
			c.broken = true // a recipient without a sender, or content without either
		}
		refused = cmp.Or(refused, e)
		if c.broken {
			return refused
		}
	}
	known.proven.Store(true)
	return refused
}
