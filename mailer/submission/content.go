package submission

import (
	"bytes"
	"context"
	"fmt"
	"slices"
)

// send hands over the content and reads the verdict. Until the block that holds the final dot is
// written, the server cannot accept; from then on, only its reply tells.
func (c *session) send(ctx context.Context, msg content) (reply, *Error) {
	if c.ahead() {
		return reply{}, c.unasked(StepContent)
	}
	const end = ".\r\n"
	// Dots are doubled at the beginning of lines (RFC 5321 section 4.5.2).
	data := bytes.ReplaceAll(msg.msg, []byte("\r\n."), []byte("\r\n.."))
	if data[0] == '.' {
		data = slices.Insert(data, 0, '.')
	}
	if !bytes.HasSuffix(data, crlf) {
		data = append(data, crlf...)
	}
	data = append(data, end...)
	for len(data) > blockSize+len(end) {
		if e := c.writeBlock(ctx, StepContent, data[:blockSize]); e != nil {
			return reply{}, e
		}
		data = data[blockSize:]
	}
	if ctx.Err() != nil {
		c.broken = true
		return reply{}, &Error{Step: StepContent, Err: context.Cause(ctx)}
	}
	return c.finish(ctx, data)
}

// writeBlock writes a part of the content. When that fails, the server may have said why before it
// stopped reading: only a refusal counts.
func (c *session) writeBlock(ctx context.Context, step Step, block []byte) *Error {
	c.wire.within(blockTimeout)
	_, err := c.conn.Write(block)
	if err == nil {
		return nil
	}
	c.wire.within(lastLimit)
	if r, readErr := readReply(c.r, nil); readErr == nil && r.refuses() {
		c.broken = true
		return refusal(step, r)
	}
	return c.broke(ctx, step, blockTimeout, reply{}, err)
}

// finish writes the block that ends with the dot, and reads the reply to it.
func (c *session) finish(ctx context.Context, block []byte) (r reply, e *Error) {
	if e = c.writeBlock(ctx, StepDot, block); e == nil {
		c.wire.within(dotTimeout)
		r, e = c.receive(ctx, StepDot, dotTimeout, nil)
	}
	switch {
	case e != nil && e.Code != 0: // refused before all of it was read
		return reply{}, e
	case e != nil:
	case r.class() == 2:
		c.needReset = false
		return r, nil
	case r.refuses():
		c.needReset = false
		return reply{}, refusal(StepDot, r)
	default:
		e = outOfStep(StepDot, r)
	}
	c.broken = true
	e.unknown = true
	e.Err = fmt.Errorf("%w: %w", errInconclusive, e.Err)
	e.Advice = "a repeat must have the same Message-ID and bytes, so that a receiver can tell"
	return reply{}, e
}
