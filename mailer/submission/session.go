package submission

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

const (
	blockSize = 32 << 10         // content is handed over in blocks of about this many bytes
	pause     = 30 * time.Second // idle for longer than this, a connection is asked whether it lives
	lastWords = time.Second      // for a reply that a server sent before it stopped listening
)

// session is one connection that is logged in, and the state of the one
// transaction on it. It is used by one goroutine at a time, in lock-step:
// each command waits for its reply.
//
// After anything out of step it is broken, and good for closing only.
type session struct {
	wire     *wire
	r        *bufio.Reader
	w        *bufio.Writer
	closer   io.Closer
	timeouts Timeouts
	ext      extensions
	moment   func(Moment)

	greeting  string   // the server's answer to EHLO
	mechanism string   // of the login; empty without one
	hidden    []string // what replies must not repeat, during the login
	tls       *tls.ConnectionState

	broken    bool
	needReset bool // a transaction was left half-way: RSET before the next
	kept      bool // has waited for this transaction, so it may be dead already
	lastUsed  time.Time
	block     []byte // the block of content being built, kept for its memory
}

// exchange says one line and reads the reply. An error leaves the session
// broken.
func (c *session) exchange(ctx context.Context, step StepName, limit time.Duration, line string) (reply, *Error) {
	if c.r.Buffered() > 0 {
		return reply{}, c.unasked(step)
	}
	c.wire.within(limit)
	_, _ = c.w.WriteString(line) // a bufio.Writer keeps its error until Flush
	_, _ = c.w.WriteString("\r\n")
	writeErr := c.w.Flush()
	// Even when writing failed, the server may have said why it left.
	r, err := readReply(c.r, c.hidden)
	if writeErr != nil && (err != nil || r.class() < 4) {
		err = writeErr
	}
	if err != nil {
		return reply{}, c.broke(ctx, step, limit, r, err)
	}
	if writeErr != nil || r.code == 421 {
		c.broken = true // RFC 5321 section 3.8: the server closes after 421
	}
	return r, nil
}

// broke records that the session cannot go on, and says why: err, and what
// was read instead of a reply.
func (c *session) broke(ctx context.Context, step StepName, limit time.Duration, r reply, err error) *Error {
	c.broken = true
	if ctx.Err() != nil {
		return &Error{Step: step, Err: context.Cause(ctx)}
	}
	return &Error{Step: step, Reply: r.text, Err: describe(err, limit)}
}

// unasked is for a reply that came before its command.
func (c *session) unasked(step StepName) *Error {
	c.broken = true
	return &Error{Step: step, Err: fmt.Errorf("%w: it came unasked", ErrOutOfStep)}
}

// command is exchange for a command that must be answered with want. A refusal
// leaves the session usable.
func (c *session) command(ctx context.Context, step StepName, limit time.Duration, want int, line string) *Error {
	r, e := c.exchange(ctx, step, limit, line)
	switch {
	case e != nil:
		return e
	case r.code == want:
		return nil
	case r.class() == 4 || r.class() == 5:
		return refusal(step, r)
	}
	c.broken = true
	return outOfStep(step, r)
}

// transact submits one message: MAIL, RCPT, DATA, the content, the dot. An
// *Error that is stale means that the connection was dead before it began.
func (c *session) transact(ctx context.Context, env Envelope, msg content) (reply, *Error) {
	if e := c.fits(env, msg); e != nil {
		return reply{}, e
	}
	if e := c.ready(ctx); e != nil {
		return reply{}, e
	}
	c.moment(BeforeMail)
	e := c.command(ctx, StepMail, c.timeouts.Command, 250, c.mailCommand(env, msg))
	c.moment(AfterMail)
	if e != nil {
		e.stale = c.kept && c.broken && !errors.Is(e, os.ErrDeadlineExceeded)
		if e.Code == 530 { // RFC 4954 section 6, RFC 3207 section 4
			e.config = true
			e.Advice = "the server wants a login or TLS first: set SMTP_USERNAME and SMTP_PASSWORD, or SMTP_TLS"
		}
		return reply{}, e
	}
	c.needReset = true
	c.moment(BeforeRcpt)
	e = c.command(ctx, StepRcpt, c.timeouts.Command, 250, "RCPT TO:<"+env.To+">")
	c.moment(AfterRcpt)
	if e != nil {
		return reply{}, e
	}
	c.moment(BeforeData)
	e = c.command(ctx, StepData, c.timeouts.Data, 354, "DATA")
	c.moment(AfterData)
	if e != nil {
		return reply{}, e
	}
	return c.send(ctx, msg)
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

// mailCommand is MAIL with the parameters that this message needs and this
// server offers. SMTPUTF8 is never added on the server's word alone.
func (c *session) mailCommand(env Envelope, msg content) string {
	line := "MAIL FROM:<" + env.From + ">"
	if c.ext.size {
		line += " SIZE=" + strconv.FormatInt(msg.size(), 10)
	}
	if msg.eightBit {
		line += " BODY=8BITMIME"
	}
	if env.SMTPUTF8 {
		line += " SMTPUTF8"
	}
	return line
}

// ready makes a kept connection fit for the next MAIL: RSET when the last
// transaction stopped half-way, NOOP after a pause, and mostly nothing.
func (c *session) ready(ctx context.Context) *Error {
	line := ""
	switch {
	case c.needReset:
		line = "RSET"
	case c.kept && time.Since(c.lastUsed) > pause:
		line = "NOOP"
	default:
		return nil
	}
	c.moment(BeforeReset)
	e := c.command(ctx, StepMail, c.timeouts.Connect, 250, line)
	c.moment(AfterReset)
	if e != nil {
		c.broken = true
		e.stale = c.kept && ctx.Err() == nil
		return e
	}
	c.needReset = false
	return nil
}

// send hands over the content and reads the verdict. Until the block that
// holds the final dot is written, the server cannot accept; from then on, only
// its reply tells.
func (c *session) send(ctx context.Context, msg content) (reply, *Error) {
	if c.r.Buffered() > 0 {
		return reply{}, c.unasked(StepContent)
	}
	c.moment(BeforeContent)
	block := c.block[:0]
	for rest := msg.msg; len(rest) > 0; {
		line := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line = rest[:i+1]
		}
		rest = rest[len(line):]
		if line[0] == '.' { // RFC 5321 section 4.5.2
			block = append(block, '.')
		}
		block = append(block, line...)
		if len(block) >= blockSize && len(rest) > 0 {
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
	c.block = block
	if ctx.Err() != nil {
		c.broken = true
		return reply{}, &Error{Step: StepContent, Err: context.Cause(ctx)}
	}
	return c.finish(ctx, block)
}

// writeBlock writes content that does not hold the final dot.
func (c *session) writeBlock(ctx context.Context, block []byte) *Error {
	err := c.write(block)
	if err == nil {
		return nil
	}
	if r, ok := c.lastReply(); ok {
		c.broken = true
		return refusal(StepContent, r)
	}
	return c.broke(ctx, StepContent, c.timeouts.Block, reply{}, err)
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
	if err := c.write(block); err != nil {
		if r, ok := c.lastReply(); ok {
			c.broken = true
			return reply{}, refusal(StepDot, r)
		}
		return unknown(c.broke(ctx, StepDot, c.timeouts.Block, reply{}, err))
	}
	c.moment(AfterContent)
	c.wire.within(c.timeouts.Dot)
	r, err := readReply(c.r, nil)
	c.moment(AfterReply)
	switch {
	case err != nil:
		return unknown(c.broke(ctx, StepDot, c.timeouts.Dot, r, err))
	case r.class() == 2:
		c.needReset = false
		return r, nil
	case r.class() == 4 || r.class() == 5:
		c.needReset = false
		c.broken = c.broken || r.code == 421
		return reply{}, refusal(StepDot, r)
	}
	return unknown(outOfStep(StepDot, r))
}

func (c *session) write(block []byte) error {
	c.wire.within(c.timeouts.Block)
	_, _ = c.w.Write(block) // a bufio.Writer keeps its error until Flush
	return c.w.Flush()
}

// lastReply reads what a server said before it stopped taking content. Only a
// refusal counts.
func (c *session) lastReply() (reply, bool) {
	c.wire.within(lastWords)
	r, err := readReply(c.r, nil)
	return r, err == nil && r.class() >= 4
}

// quit says goodbye within limit and closes.
func (c *session) quit(limit time.Duration) {
	if !c.broken {
		c.wire.within(limit)
		_, _ = c.w.WriteString("QUIT\r\n")
		if c.w.Flush() == nil {
			_, _ = readReply(c.r, nil) // whatever it says, nothing depends on it
		}
		_ = c.closer.Close()
	}
	_ = c.wire.Close()
}

// drop closes at once.
func (c *session) drop() { _ = c.wire.Close() }

// protection names the TLS version for a log.
func (c *session) protection() string {
	if c.tls == nil {
		return "none"
	}
	return tls.VersionName(c.tls.Version)
}
