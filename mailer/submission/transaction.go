package submission

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// transact submits one message: MAIL, RCPT, DATA, the content, the dot. The
// commands go in one group where the server takes that, and grouped asks for
// it. An *Error that is stale means that the connection was dead before it
// began.
func (c *session) transact(ctx context.Context, env Envelope, msg content, grouped bool) (reply, *Error) {
	if msg.none {
		return c.probe(ctx, env)
	}
	if e := c.fits(env, msg); e != nil {
		return reply{}, e
	}
	grouped = grouped && c.ext.pipelining && !c.groups.spoiled.Load()
	if e := c.ready(ctx, grouped); e != nil {
		return reply{}, e
	}
	begin := c.lockStep
	if grouped {
		begin = c.group
	}
	if e := begin(ctx, env, msg); e != nil {
		return reply{}, e
	}
	return c.send(ctx, msg)
}

// ready makes a kept connection fit for the next MAIL: RSET when the last
// transaction stopped half-way, unless it can go with the group, NOOP after a
// pause, and mostly nothing.
func (c *session) ready(ctx context.Context, grouped bool) *Error {
	line := ""
	switch {
	case c.kept && time.Since(c.lastUsed) > pause && !c.needReset:
		line = "NOOP\r\n"
	case c.needReset && (!grouped || c.kept && time.Since(c.lastUsed) > pause):
		line = "RSET\r\n"
	default:
		return nil
	}
	e := c.command(ctx, StepMail, c.timeouts.Connect, 250, []byte(line))
	if e != nil {
		c.broken = true
		e.stale = c.kept && ctx.Err() == nil
		return e
	}
	c.needReset = false
	return nil
}

// lockStep says MAIL, RCPT and DATA, each when the one before it has been
// answered.
func (c *session) lockStep(ctx context.Context, env Envelope, msg content) *Error {
	if e := c.sayMail(ctx, env, msg); e != nil {
		return e
	}
	c.block = appendRcpt(c.block[:0], env)
	e := c.command(ctx, StepRcpt, c.timeouts.Command, 250, c.block)
	if e != nil {
		return e
	}
	e = c.command(ctx, StepData, c.timeouts.Data, 354, data)
	return e
}

// sayMail says MAIL and waits for the answer.
func (c *session) sayMail(ctx context.Context, env Envelope, msg content) *Error {
	c.block = c.appendMail(c.block[:0], env, msg)
	e := c.command(ctx, StepMail, c.timeouts.Command, 250, c.block)
	if e != nil {
		e.stale = c.kept && c.broken && !errors.Is(e, os.ErrDeadlineExceeded)
		return adviseMail(e)
	}
	c.needReset = true
	return nil
}

// command is exchange for a command that must be answered with want. A refusal
// leaves the session usable.
func (c *session) command(ctx context.Context, step StepName, limit time.Duration, want int, line []byte) *Error {
	r, e := c.exchange(ctx, step, limit, want, line)
	switch {
	case e != nil:
		return e
	case r.answers(step, want):
		return nil
	case r.refuses():
		return refusal(step, r)
	}
	c.broken = true
	return outOfStep(step, r)
}

// adviseMail adds what to do to a refusal of MAIL that is about settings (RFC
// 4954 section 6, RFC 3207 section 4).
func adviseMail(e *Error) *Error {
	if e.Code == 530 {
		e.config = true
		e.Advice = "the server wants a login or TLS first: set SMTP_USERNAME and SMTP_PASSWORD, or SMTP_TLS"
	}
	return e
}

// fits refuses what this server cannot carry, before it is asked to. The codes
// are those that the server would have used.
func (c *session) fits(env Envelope, msg content) *Error {
	lacks := func(code int, enhanced string, err error, advice string) *Error {
		return &Error{Step: StepMail, Code: code, EnhancedCode: enhanced, Err: err, Advice: advice}
	}
	switch {
	case env.SMTPUTF8 && !c.ext.utf8:
		return lacks(553, "5.6.7", fmt.Errorf("%w: SMTPUTF8; nothing was sent", ErrUnsupported),
			"use an ASCII address, or a server that offers SMTPUTF8")
	case msg.eightBit && !c.ext.eightBit:
		return lacks(554, "5.6.3", fmt.Errorf("%w: 8BITMIME; nothing was sent", ErrUnsupported),
			"encode the message in 7-bit form, or use a server that offers 8BITMIME")
	case c.ext.size && c.ext.maxSize > 0 && msg.size() > c.ext.maxSize:
		return lacks(552, "5.3.4", fmt.Errorf("%w: %d bytes, and its limit is %d; nothing was sent", ErrTooLarge, msg.size(), c.ext.maxSize),
			"make the message smaller")
	}
	return nil
}

var data = []byte("DATA\r\n")

// appendMail appends MAIL with the parameters that this message needs and this
// server offers. SMTPUTF8 is never added on the server's word alone.
func (c *session) appendMail(b []byte, env Envelope, msg content) []byte {
	b = append(b, "MAIL FROM:<"...)
	b = append(b, env.From...)
	b = append(b, '>')
	if c.ext.size && !msg.none {
		b = append(b, " SIZE="...)
		b = strconv.AppendInt(b, msg.size(), 10)
	}
	if msg.eightBit {
		b = append(b, " BODY=8BITMIME"...)
	}
	if env.SMTPUTF8 {
		b = append(b, " SMTPUTF8"...)
	}
	return append(b, crlf...)
}

func appendRcpt(b []byte, env Envelope) []byte {
	b = append(b, "RCPT TO:<"...)
	b = append(b, env.To...)
	return append(b, ">\r\n"...)
}
