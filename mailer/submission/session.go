package submission

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"
)

// How long a step may wait for the server: RFC 5321 section 4.5.3.2, but for the first.
const (
	// connectTimeout is for the network connection, an implicit TLS handshake, a NOOP or RSET on
	// a kept connection, MAIL and RCPT in the first group.
	connectTimeout = 30 * time.Second
	commandTimeout = 5 * time.Minute
	dataTimeout    = 2 * time.Minute
	blockTimeout   = 3 * time.Minute
	dotTimeout     = 10 * time.Minute
)

const (
	blockSize = 32 << 10         // content leaves in blocks of at most about this many bytes
	pause     = 30 * time.Second // idle for longer than this, a connection is asked whether it lives
	quitLimit = 5 * time.Second  // for QUIT and its answer
	lastLimit = time.Second      // for a reply that a server sent before it stopped reading

	tellAfter = 10 * time.Second // for an answer, before the log says what is being waited for
)

// via is what a Result says of the connection.
type via struct {
	number      int  // of the Submitter's connections, from 1
	loginUnused bool // a login was offered and none is set
}

// session is one connection that is logged in, and the state of the one transaction on it. It is
// used by one goroutine at a time. After anything out of step it is broken, good for closing only.
type session struct {
	s    *Submitter
	wire *wire
	conn net.Conn // the wire, or TLS on it
	r    *bufio.Reader
	ext  extensions

	greeting  string   // the server's answer to EHLO
	mechanism string   // of the login; empty without one
	hidden    []string // what replies must not repeat, during the login
	tls       *tls.ConnectionState
	via       via

	broken    bool
	needReset bool // a transaction was left half-way: RSET before the next
	kept      bool // has waited for this transaction, so it may be dead already
	lastUsed  time.Time
	idle      *time.Timer // closes it, while it is idle
	sent      int         // transactions so far
}

// use speaks over conn from now on: the wire, or TLS on it.
func (c *session) use(conn net.Conn) { c.conn, c.r = conn, bufio.NewReader(conn) }

// tell says in the log what is waited for if that takes long, so that a run which stands still
// explains itself. Call done after the wait.
func (s *Submitter) tell(step Step) (done func() bool) {
	return time.AfterFunc(tellAfter, func() {
		s.log.Info("still waiting for the smtp server", "server", s.address(), "step", string(step),
			"so_far", tellAfter.String())
	}).Stop
}

// exchange writes one line and reads the reply. An error leaves the session broken.
func (c *session) exchange(ctx context.Context, step Step, limit time.Duration, line string) (reply, *Error) {
	if c.ahead() {
		return reply{}, c.unasked(step)
	}
	c.wire.within(limit)
	_, writeErr := c.conn.Write([]byte(line + "\r\n"))
	return c.receive(ctx, step, limit, writeErr)
}

// receive reads the reply to what was written with writeErr: even when that failed, the server
// may have said why it left. An error leaves the session broken.
func (c *session) receive(ctx context.Context, step Step, limit time.Duration, writeErr error) (reply, *Error) {
	defer c.s.tell(step)()
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

// ahead reports whether the server has said something that it was not asked for. An empty line
// is nothing: see readReply.
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

// broke records that the session cannot go on, and says why: err, and what was read instead of
// a reply.
func (c *session) broke(ctx context.Context, step Step, limit time.Duration, r reply, err error) *Error {
	c.broken = true
	if ctx.Err() != nil {
		return &Error{Step: step, Err: context.Cause(ctx)}
	}
	return &Error{Step: step, Reply: r.text, Err: describe(err, limit)}
}

// unasked is for a reply that came before its command.
func (c *session) unasked(step Step) *Error {
	c.broken = true
	return &Error{Step: step, Err: fmt.Errorf("%w: it came unasked", errOutOfStep)}
}

// quit says QUIT, if the connection stands, and closes.
func (c *session) quit() {
	if !c.broken {
		c.wire.within(quitLimit)
		if _, err := c.conn.Write([]byte("QUIT\r\n")); err == nil {
			_, _ = readReply(c.r, nil) // whatever it says, nothing depends on it
		}
		_ = c.conn.Close()
	}
	_ = c.wire.Close()
}

// protection names the TLS version for a log.
func (c *session) protection() string {
	if c.tls == nil {
		return "none"
	}
	return tls.VersionName(c.tls.Version)
}

// wire is the network connection below everything, TLS included. It alone sets deadlines, so
// that an interrupted connection stays so.
type wire struct {
	net.Conn

	mu          sync.Mutex
	interrupted bool
}

// within gives everything that follows d, until it is called again.
func (w *wire) within(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.interrupted {
		_ = w.SetDeadline(time.Now().Add(d)) // fails on a closed connection only, and so will the read
	}
}

// interrupt makes what waits return, and everything later fail.
func (w *wire) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interrupted = true
	_ = w.SetDeadline(time.Unix(1, 0)) // as in within
}
