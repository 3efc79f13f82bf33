package submission

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"
)

// straggle bounds the wait for replies that cannot change the outcome any
// more: those to what follows a refused command in a group. A server that
// throttles clients after an error needs some seconds for them.
const straggle = 10 * time.Second

// groups is what is known of a server that offers PIPELINING (RFC 2920): an
// offer is no proof that it can.
type groups struct {
	proven  atomic.Bool // one group had all its answers
	spoiled atomic.Bool // one went wrong: lock-step from then on
}

// group says [RSET,] MAIL, RCPT and DATA in one write and reads each reply (RFC
// 2920 section 3.1). It returns nil only when the server waits for the content
// of this message.
//
// The first refusal is the outcome. What follows it in the group is refused
// too by a server in its right mind; whatever else comes cannot change the
// outcome, but decides about the connection.
//
// An *Error that is ungrouped says that the server has never answered a group
// as it should, and of this one not even RCPT: lock-step may do better. No
// content was sent.
func (c *session) group(ctx context.Context, env Envelope, msg content) *Error {
	if c.ahead() {
		return c.unasked(StepMail)
	}
	b := c.block[:0]
	if c.needReset {
		b = append(b, "RSET\r\n"...)
	}
	b = c.appendMail(b, env, msg)
	b = appendRcpt(b, env)
	b = append(b, data...)
	c.block = b
	e := c.say(ctx, b, c.needReset)
	return e
}

// say says the lines of a group, of which RSET may be the first, and reads the
// replies.
func (c *session) say(ctx context.Context, lines []byte, reset bool) *Error {
	trial := !c.groups.proven.Load()
	g := grouped{session: c, ctx: ctx, trial: trial}
	limit := c.timeouts.Command
	if reset {
		limit = c.timeouts.Connect
	}
	g.within(limit)
	g.writeErr = c.write(lines)
	c.needReset = true
	if reset {
		if e := g.read(StepMail, 250); e != nil {
			c.broken = true
			e.stale = c.kept && ctx.Err() == nil
			return e
		}
		g.within(c.timeouts.Command)
	}
	mail := g.read(StepMail, 250)
	if mail != nil {
		mail.stale = c.kept && c.broken && !errors.Is(mail, os.ErrDeadlineExceeded)
		mail.ungrouped = mail.ungrouped && !mail.stale
		mail = adviseMail(mail)
	}
	if c.broken {
		return mail
	}
	if mail == nil {
		g.within(c.timeouts.Command)
	}
	rcpt := g.read(StepRcpt, 250)
	switch {
	case c.broken:
		return firstOf(mail, rcpt)
	case mail != nil && rcpt == nil:
		c.broken = true // a recipient without a sender: out of step
		c.groups.spoiled.Store(true)
		return mail
	}
	g.trial = false // what stood behind another command has been heard
	if mail == nil && rcpt == nil {
		g.within(c.timeouts.Data)
	}
	answer := g.read(StepData, 354)
	verdict := firstOf(mail, rcpt)
	if !c.broken {
		c.groups.proven.Store(true)
		if verdict != nil && answer == nil {
			c.loneDot()
		}
	}
	return firstOf(verdict, answer)
}

func firstOf(a, b *Error) *Error {
	if a != nil {
		return a
	}
	return b
}

// grouped reads the replies to one group.
type grouped struct {
	*session
	ctx      context.Context
	trial    bool  // the server has yet to show that it hears what stands behind a command
	writeErr error // of the group
	known    bool  // a command was refused: the outcome stands
	limit    time.Duration
}

// within gives the next reply d to come. In a trial, the server has as long as
// one that is asked whether it lives.
func (g *grouped) within(d time.Duration) {
	if g.trial {
		d = min(d, g.timeouts.Connect)
	}
	g.limit = d
	g.wire.within(d)
}

// read reads the reply to one command of the group. Unless it is one, as it
// may be said at this place, the session is broken.
func (g *grouped) read(step StepName, want int) *Error {
	g.await.begin(step)
	r, err := readReply(g.r, want, nil)
	g.await.end()
	if g.writeErr != nil && (err != nil || r.class() < 4) {
		err = g.writeErr
	}
	var e *Error
	switch {
	case err != nil:
		e = g.broke(g.ctx, step, g.limit, r, err)
	case r.answers(step, want):
		return nil
	case !r.refuses():
		g.broken = true
		e = outOfStep(step, r)
	default:
		e = refusal(step, r)
		if g.writeErr != nil || r.code == 421 {
			g.broken = true // RFC 5321 section 3.8: the server closes after 421
			return e
		}
		if !g.known && g.trial && r.code == 503 && step == StepRcpt {
			// "Bad sequence of commands", after MAIL was taken: it was lost.
			g.broken, e.ungrouped = true, true
			return e
		}
		if !g.known {
			g.known = true
			g.within(straggle)
		}
		return e
	}
	switch {
	case g.ctx.Err() != nil:
	case g.trial && !g.known:
		e.ungrouped = true
	case errors.Is(e, ErrOutOfStep), errors.Is(e, os.ErrDeadlineExceeded) && (g.known || !g.groups.proven.Load()):
		g.groups.spoiled.Store(true)
	}
	return e
}

// loneDot ends the content of a message that has no recipient, because DATA was
// taken all the same (RFC 2920 section 3.1). Only a refusal makes sense.
func (c *session) loneDot() {
	c.wire.within(straggle)
	err := c.write([]byte(".\r\n"))
	r, readErr := readReply(c.r, 0, nil)
	if err != nil || readErr != nil || !r.refuses() || r.code == 421 {
		c.broken = true
	}
}

// settle draws the conclusion from a message that was repeated in lock-step:
// when the server answered that, it was the group that it could not take.
func (g *groups) settle(e *Error) bool {
	return (e == nil || e.Code != 0) && !g.spoiled.Swap(true)
}
