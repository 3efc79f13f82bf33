package submission

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	blockSize = 32 << 10         // content is handed over in blocks of at most about this many bytes
	pause     = 30 * time.Second // idle for longer than this, a connection is asked whether it lives
	farewell  = 5 * time.Second  // for QUIT and its answer
	lastWords = time.Second      // for a reply that a server sent before it stopped listening
)

// via is what a Result says of the connection.
type via struct {
	number      int  // of the Submitter's connections, from 1
	loginUnused bool // a login was offered and none is set
}

// session is one connection that is logged in, and the state of the one
// transaction on it. It is used by one goroutine at a time.
//
// After anything out of step it is broken, and good for closing only.
type session struct {
	wire     *wire
	r        *bufio.Reader
	w        *bufio.Writer
	closer   io.Closer
	timeouts Timeouts
	ext      extensions
	groups   *groups
	await    *await

	greeting  string   // the server's answer to EHLO
	mechanism string   // of the login; empty without one
	hidden    []string // what replies must not repeat, during the login
	tls       *tls.ConnectionState
	via       via

	broken    bool
	needReset bool // a transaction was left half-way: RSET before the next
	kept      bool // has waited for this transaction, so it may be dead already
	lastUsed  time.Time
	sent      int    // transactions so far
	interrupt func() // of wire
	block     []byte // what is being written, kept for its memory
}

// exchange says one line and reads the reply, without its text when it has the
// code that was expected. An error leaves the session broken.
func (c *session) exchange(ctx context.Context, step StepName, limit time.Duration, expected int, line []byte) (reply, *Error) {
	return c.exchangeLines(ctx, step, limit, expected, line, nil)
}

// exchangeLines is exchange for a reply whose single lines matter: each, if not
// nil, gets the text of one after the other.
func (c *session) exchangeLines(ctx context.Context, step StepName, limit time.Duration, expected int, line []byte, each func(text string)) (reply, *Error) {
	if c.ahead() {
		return reply{}, c.unasked(step)
	}
	limit = c.wire.within(limit)
	c.await.begin(step)
	writeErr := c.write(line)
	// Even when writing failed, the server may have said why it left.
	r, err := readReplyLines(c.r, expected, c.hidden, each)
	c.await.end()
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

// ahead reports whether the server has said something that nobody asked for. An
// empty line is nothing: see readReply.
func (c *session) ahead() bool {
	for {
		next, _ := c.r.Peek(min(2, c.r.Buffered())) // what is buffered can be had
		switch {
		case len(next) > 0 && next[0] == '\n':
			_, _ = c.r.Discard(1)
		case string(next) == "\r\n":
			_, _ = c.r.Discard(2)
		default:
			return len(next) > 0
		}
	}
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

// write hands over b at once: in one write where it is larger than the
// buffer, and in one where it is smaller.
func (c *session) write(b []byte) error {
	_, err := c.w.Write(b)
	return errors.Join(err, c.w.Flush())
}

// quit says goodbye, if the connection stands, and closes.
func (c *session) quit() {
	if !c.broken {
		c.wire.within(farewell)
		if c.write([]byte("QUIT\r\n")) == nil {
			_, _ = readReply(c.r, 221, nil) // whatever it says, nothing depends on it
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
