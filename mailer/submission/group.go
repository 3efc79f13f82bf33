package submission

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// restLimit bounds the wait for replies that cannot change the outcome any more: those to what
// follows a refused command in a group. A server that throttles clients after an error needs
// some seconds for them.
const restLimit = 10 * time.Second

// groups is what is known of a server that offers PIPELINING (RFC 2920): an offer is no proof
// that it can.
type groups struct {
	proven  atomic.Bool // one group had all its answers
	spoiled atomic.Bool // one went wrong: lock-step from then on
}

// settle draws the conclusion from a message that was repeated in lock-step: when the server
// answered that, it was the group that it could not take.
func (g *groups) settle(e *Error) bool {
	return (e == nil || e.Code != 0) && !g.spoiled.Swap(true)
}

// group says [RSET,] MAIL, RCPT and DATA in one write and reads each reply (RFC 2920 section
// 3.1). It returns nil only when the server waits for the content of this message.
//
// The first refusal is the outcome. What follows it in the group is refused too by a server in
// its right mind; whatever else comes cannot change the outcome, but decides about the
// connection.
//
// An *Error that is ungrouped says that the server has never answered a group as it should, and
// of this one not even RCPT: lock-step may do better. No content was sent.
func (c *session) group(ctx context.Context, commands []command) *Error {
	if c.ahead() {
		return c.unasked(StepMail)
	}
	reset := command{StepMail, "RSET", 250, connectTimeout}
	lines := commands
	if c.needReset {
		lines = slices.Insert(slices.Clone(commands), 0, reset)
	}
	known := c.s.groups
	g := grouped{session: c, ctx: ctx, trial: !known.proven.Load()}
	g.within(lines[0].limit)
	_, g.writeErr = c.conn.Write(joined(lines))
	if c.needReset {
		if e := g.read(reset); e != nil {
			c.broken = true
			e.stale = c.kept && ctx.Err() == nil
			return e
		}
		g.within(commandTimeout)
	}
	c.needReset = true
	mail := g.read(commands[0])
	if mail != nil {
		mail = c.mailFailed(mail)
	}
	if c.broken {
		return mail
	}
	if mail == nil {
		g.within(commandTimeout)
	}
	rcpt := g.read(commands[1])
	switch {
	case c.broken:
		return cmp.Or(mail, rcpt)
	case mail != nil && rcpt == nil:
		c.broken = true // a recipient without a sender: out of step
		known.spoiled.Store(true)
		return mail
	}
	g.trial = false // what stood behind another command has been answered
	if mail == nil && rcpt == nil {
		g.within(dataTimeout)
	}
	data := g.read(commands[2])
	refused := cmp.Or(mail, rcpt)
	if !c.broken {
		known.proven.Store(true)
		if refused != nil && data == nil {
			c.loneDot()
		}
	}
	return cmp.Or(refused, data)
}

// grouped reads the replies to one group.
type grouped struct {
	*session
	ctx      context.Context
	trial    bool  // the server has yet to show that it takes what stands behind a command
	writeErr error // of the group
	known    bool  // a command was refused: the outcome stands
	limit    time.Duration
}

// within gives the next reply d to come. In a trial, the server has as long as one that is asked
// whether it lives.
func (g *grouped) within(d time.Duration) {
	if g.trial {
		d = min(d, connectTimeout)
	}
	g.limit = d
	g.wire.within(d)
}

// read reads the reply to one command of the group. Unless it is one, as it may be said at this
// place, the session is broken.
func (g *grouped) read(cmd command) *Error {
	r, err := g.session.read(cmd.step)
	if g.writeErr != nil && (err != nil || r.class() < 4) {
		err = g.writeErr
	}
	switch {
	case err != nil:
		return g.failed(g.broke(g.ctx, cmd.step, g.limit, r, err))
	case r.answers(cmd):
		return nil
	case !r.refuses():
		g.broken = true
		return g.failed(outOfStep(cmd.step, r))
	}
	e := refusal(cmd.step, r)
	switch {
	case g.writeErr != nil || r.code == 421:
		g.broken = true // RFC 5321 section 3.8: the server closes after 421
	case !g.known && g.trial && r.code == 503 && cmd.step == StepRcpt:
		// "Bad sequence of commands", after MAIL was taken: it was lost.
		g.broken, e.ungrouped = true, true
	case !g.known:
		g.known = true
		g.within(restLimit)
	}
	return e
}

// failed says what a reply that did not come, or was none, tells about groups.
func (g *grouped) failed(e *Error) *Error {
	known := g.s.groups
	switch {
	case g.ctx.Err() != nil:
	case g.trial && !g.known:
		e.ungrouped = true
	case errors.Is(e, errOutOfStep),
		errors.Is(e, os.ErrDeadlineExceeded) && (g.known || !known.proven.Load()):
		known.spoiled.Store(true)
	}
	return e
}

// loneDot ends the content of a message that has no recipient, because DATA was taken all the
// same (RFC 2920 section 3.1). Only a refusal makes sense.
func (c *session) loneDot() {
	c.wire.within(restLimit)
	_, err := c.conn.Write([]byte(".\r\n"))
	r, readErr := readReply(c.r, nil)
	if err != nil || readErr != nil || !r.refuses() || r.code == 421 {
		c.broken = true
	}
}
