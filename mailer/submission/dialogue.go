package submission

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// command is one line of the dialogue, and the answer that it wants.
type command struct {
	step  Step
	line  string
	want  int
	limit time.Duration
}

// commands are MAIL, with the parameters that this message needs and this server offers, RCPT
// and DATA. SMTPUTF8 is never added on the server's word alone.
func (c *session) commands(env Envelope, msg content) []command {
	mail := "MAIL FROM:<" + env.From + ">"
	if c.ext.size && !msg.none {
		mail += fmt.Sprintf(" SIZE=%d", msg.size())
	}
	if msg.eightBit {
		mail += " BODY=8BITMIME"
	}
	if env.SMTPUTF8 {
		mail += " SMTPUTF8"
	}
	return []command{
		{StepMail, mail, 250, commandTimeout},
		{StepRcpt, "RCPT TO:<" + env.To + ">", 250, commandTimeout},
		{StepData, "DATA", 354, dataTimeout},
	}
}

// transact submits one message: MAIL, RCPT, DATA, the content, the dot. The commands go in one
// group where the server takes that, and grouped asks for it. An *Error that is stale means that
// the connection was dead before it began.
func (c *session) transact(ctx context.Context, env Envelope, msg content, grouped bool) (reply, *Error) {
	if e := c.fits(env, msg); e != nil {
		return reply{}, e
	}
	if e := c.ready(ctx); e != nil {
		return reply{}, e
	}
	commands := c.commands(env, msg)
	switch {
	case msg.none:
		r, e := c.lockStep(ctx, commands[:2])
		if !c.broken {
			_ = c.ready(ctx) // RSET; a connection that fails it is dropped, and the answer stands
		}
		return r, e
	case grouped && c.ext.pipelining && !c.s.groups.spoiled.Load():
		if e := c.group(ctx, commands); e != nil {
			return reply{}, e
		}
	default:
		if _, e := c.lockStep(ctx, commands); e != nil {
			return reply{}, e
		}
	}
	return c.send(ctx, msg)
}

// ready makes a kept connection fit for the next MAIL: RSET when the last transaction stopped
// half-way, NOOP after a pause, and mostly nothing.
func (c *session) ready(ctx context.Context) *Error {
	line := "RSET"
	if !c.needReset {
		line = "NOOP"
		if !c.kept || time.Since(c.lastUsed) <= pause {
			return nil
		}
	}
	if _, e := c.do(ctx, command{StepMail, line, 250, connectTimeout}); e != nil {
		c.broken = true
		e.stale = c.kept && ctx.Err() == nil
		return e
	}
	c.needReset = false
	return nil
}

// do says one command, and returns its answer if that is the one it wants.
func (c *session) do(ctx context.Context, cmd command) (reply, *Error) {
	r, e := c.exchange(ctx, cmd.step, cmd.limit, cmd.line)
	if e == nil {
		e = c.check(cmd, r)
	}
	return r, e
}

// check is nil if r is the answer that cmd wants. A refusal leaves the session usable.
func (c *session) check(cmd command, r reply) *Error {
	switch {
	case r.answers(cmd):
		return nil
	case r.refuses():
		return refusal(cmd.step, r)
	}
	c.broken = true
	return outOfStep(cmd.step, r)
}

// lockStep says commands, of which MAIL is the first, each when the one before it has been
// answered. It returns the last answer.
func (c *session) lockStep(ctx context.Context, commands []command) (last reply, e *Error) {
	for _, cmd := range commands {
		if last, e = c.do(ctx, cmd); e != nil {
			if cmd.step == StepMail {
				return last, c.mailFailed(e)
			}
			return last, e
		}
		c.needReset = true
	}
	return last, nil
}

// mailFailed notes that a kept connection had been dead before MAIL, and adds what to do to a
// refusal that is about settings (RFC 4954 section 6, RFC 3207 section 4).
func (c *session) mailFailed(e *Error) *Error {
	e.stale = c.kept && c.broken && !errors.Is(e, os.ErrDeadlineExceeded)
	e.ungrouped = e.ungrouped && !e.stale
	if e.Code == 530 {
		e.config = true
		e.Advice = "the server wants a login or TLS first: " +
			"set Config.Username and Config.Password, or Config.TLS"
	}
	return e
}

// fits refuses what this server cannot carry, before it is asked to. The codes are those that
// the server would have used.
func (c *session) fits(env Envelope, msg content) *Error {
	lacks := func(code int, enhanced string, err error, advice string) *Error {
		return &Error{Step: StepMail, Code: code, EnhancedCode: enhanced, Err: err, Advice: advice}
	}
	switch {
	case msg.none:
	case env.SMTPUTF8 && !c.ext.utf8:
		return lacks(553, "5.6.7", fmt.Errorf("%w: SMTPUTF8; nothing was sent", errUnsupported),
			"use an ASCII address, or a server that offers SMTPUTF8")
	case msg.eightBit && !c.ext.eightBit:
		return lacks(554, "5.6.3", fmt.Errorf("%w: 8BITMIME; nothing was sent", errUnsupported),
			"encode the message in 7-bit form, or use a server that offers 8BITMIME")
	case c.ext.size && c.ext.maxSize > 0 && msg.size() > c.ext.maxSize:
		err := fmt.Errorf("%w: %d bytes, and its limit is %d; nothing was sent",
			errTooLarge, msg.size(), c.ext.maxSize)
		return lacks(552, "5.3.4", err, "make the message smaller")
	}
	return nil
}
