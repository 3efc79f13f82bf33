package submission

import (
	"bytes"
	"context"
	"fmt"
)

// send hands over the content and reads the verdict. Until the block that
// holds the final dot is written, the server cannot accept; from then on, only
// its reply tells.
func (c *session) send(ctx context.Context, msg content) (reply, *Error) {
	if c.ahead() {
		return reply{}, c.unasked(StepContent)
	}
	var block []byte
	for line := range bytes.Lines(msg.msg) {
		if line[0] == '.' { // RFC 5321 section 4.5.2
			block = append(block, '.')
		}
		block = append(block, line...)
		if len(block) >= blockSize {
			if e := c.writeBlock(ctx, block); e != nil {
				return reply{}, e
			}
			block = block[:0]
		}
	}
	if !bytes.HasSuffix(msg.msg, crlf) {
		block = append(block, crlf...)
	}
	block = append(block, '.', '\r', '\n')
	if ctx.Err() != nil {
		c.broken = true
		return reply{}, &Error{Step: StepContent, Err: context.Cause(ctx)}
	}
	return c.finish(ctx, block)
}

// writeBlock writes content that does not hold the final dot.
func (c *session) writeBlock(ctx context.Context, block []byte) *Error {
	c.wire.within(blockTimeout)
	_, err := c.conn.Write(block)
	if err == nil {
		return nil
	}
	if r, ok := c.lastReply(); ok {
		c.broken = true
		return refusal(StepContent, r)
	}
	return c.broke(ctx, StepContent, blockTimeout, reply{}, err)
}

// finish writes the block that ends with the dot, and reads the reply to it.
func (c *session) finish(ctx context.Context, block []byte) (reply, *Error) {
	unknown := func(e *Error) (reply, *Error) {
		c.broken = true
		e.unknown = true
		e.Err = fmt.Errorf("%w: %w", errInconclusive, e.Err)
		e.Advice = "a repeat must have the same Message-ID and bytes, so that a receiver can tell"
		return reply{}, e
	}
	c.wire.within(blockTimeout)
	if _, err := c.conn.Write(block); err != nil {
		if r, ok := c.lastReply(); ok {
			c.broken = true
			return reply{}, refusal(StepDot, r)
		}
		return unknown(c.broke(ctx, StepDot, blockTimeout, reply{}, err))
	}
	c.wire.within(dotTimeout)
	r, e := c.receive(ctx, StepDot, dotTimeout, nil)
	switch {
	case e != nil:
		return unknown(e)
	case r.class() == 2:
		c.needReset = false
		return r, nil
	case r.refuses():
		c.needReset = false
		return reply{}, refusal(StepDot, r)
	}
	return unknown(outOfStep(StepDot, r))
}

// lastReply reads what a server said before it stopped taking content. Only a
// refusal counts.
func (c *session) lastReply() (reply, bool) {
	c.wire.within(lastLimit)
	r, err := readReply(c.r, nil)
	return r, err == nil && r.refuses()
}
