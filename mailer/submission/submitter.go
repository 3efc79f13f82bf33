package submission

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// farewell bounds the QUIT of each connection.
const farewell = 5 * time.Second

// Submitter submits messages to one server. It is safe for concurrent use.
type Submitter struct {
	cfg      Config // without the login
	logsIn   bool
	username secret
	password secret
	tls      *tls.Config
	log      *slog.Logger

	slots chan struct{} // one for each connection that may be open and in use
	rate  *window       // nil without a limit

	groups groups

	mu     sync.Mutex
	idle   []*session // the latest used last
	closed bool
}

// New checks everything that can be checked without the network, and reports
// every problem at once (see [ConfigError]). It opens no connection.
func New(cfg Config) (*Submitter, error) {
	cfg = cfg.withDefaults()
	err := cfg.check()
	tlsConfig, tlsErr := cfg.tlsConfig()
	if err = errors.Join(err, tlsErr); err != nil {
		return nil, err
	}
	username, password := cfg.Username, cfg.Password
	s := &Submitter{
		logsIn:   cfg.logsIn(),
		username: func() string { return username },
		password: func() string { return password },
		tls:      tlsConfig,
		log:      cfg.Logger,
		slots:    make(chan struct{}, cfg.Connections),
	}
	cfg.Username, cfg.Password = "", ""
	s.cfg = cfg
	if cfg.RatePerMinute > 0 {
		s.rate = newWindow(cfg.RatePerMinute, time.Minute)
	}
	return s, nil
}

// Format prints what may be printed of the configuration.
func (s *Submitter) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "submission.Submitter{"+net.JoinHostPort(s.cfg.Host, fmt.Sprint(s.cfg.Port))+"}")
}

// Submit hands one message to the server, and says exactly how that ended.
// Lines of msg end with CRLF; a bare CR or LF is an error. The bytes are sent
// as they are, with dots doubled as SMTP asks (RFC 5321 section 4.5.2), and
// a final CRLF when it is missing.
//
// Up to Config.Connections messages travel at once; the rest wait. When the
// context ends, Submit returns at once: with NotBegun before the end of the
// message was handed over, with Unknown after.
func (s *Submitter) Submit(ctx context.Context, env Envelope, msg []byte) Result {
	checked, e := examine(env, msg)
	if e != nil {
		return e.result()
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return (&Error{Step: StepDial, Err: context.Cause(ctx)}).result()
	}
	granted, grouped := false, true
	for useKept := true; ; useKept = false {
		c, e := s.acquire(ctx, useKept)
		if e != nil {
			return e.result()
		}
		if s.rate != nil && !granted {
			waited, err := s.rate.wait(ctx)
			if err != nil {
				s.release(c)
				return (&Error{Step: StepMail, Err: err}).result()
			}
			granted = true
			c.kept = c.kept || waited
		}
		r, e := s.transact(ctx, c, env, checked, grouped)
		if !grouped && s.groups.settle(e) {
			s.log.Info("smtp server offers PIPELINING and cannot do it: commands go one by one from now on", "host", s.cfg.Host)
		}
		if e == nil {
			return Result{Outcome: Accepted, Step: StepDot, Code: r.code, EnhancedCode: r.enhanced, Reply: r.line()}
		}
		if e.stale && useKept && ctx.Err() == nil {
			continue
		}
		if e.ungrouped && grouped && ctx.Err() == nil {
			grouped = false
			continue
		}
		if hidden := env.withoutAddresses(e.Reply); hidden != e.Reply {
			e.summary = hidden
		}
		return e.result()
	}
}

// transact runs one transaction under the context, and puts the connection
// back or drops it.
func (s *Submitter) transact(ctx context.Context, c *session, env Envelope, msg content, grouped bool) (reply, *Error) {
	stop := context.AfterFunc(ctx, c.wire.interrupt)
	r, e := c.transact(ctx, env, msg, grouped)
	if !stop() {
		c.broken = true // interrupted, or about to be
	}
	s.release(c)
	return r, e
}

// acquire returns a kept connection if there is one and it is wanted, else a
// new one. The caller holds a slot.
func (s *Submitter) acquire(ctx context.Context, useKept bool) (*session, *Error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, &Error{Step: StepDial, Err: ErrClosed, permanent: true}
	}
	if n := len(s.idle); n > 0 && useKept {
		c := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.mu.Unlock()
		c.kept = true
		return c, nil
	}
	s.mu.Unlock()
	s.cfg.Moment(BeforeConnect)
	c, e := s.connect(ctx)
	s.cfg.Moment(AfterConnect)
	if e != nil {
		return nil, e
	}
	c.lastUsed = time.Now()
	return c, nil
}

// release keeps c for the next message, or closes it.
func (s *Submitter) release(c *session) {
	if c.broken || c.r.Buffered() > 0 {
		s.log.Debug("smtp connection dropped", "host", s.cfg.Host)
		c.drop()
		return
	}
	c.lastUsed = time.Now()
	s.mu.Lock()
	// A connection dialled beside stale ones must not add to their number.
	keep := !s.closed && len(s.idle) < cap(s.slots)
	if keep {
		s.idle = append(s.idle, c)
	}
	s.mu.Unlock()
	if !keep {
		c.quit(farewell)
	}
}

// Close says QUIT on every kept connection, each within five seconds, and
// closes it. It does not wait for messages in hand: their connections are
// closed as they end. Submit fails afterwards. A second Close does nothing.
func (s *Submitter) Close() error {
	s.mu.Lock()
	idle := s.idle
	s.idle, s.closed = nil, true
	s.mu.Unlock()
	var wg sync.WaitGroup
	for _, c := range idle {
		wg.Go(func() { c.quit(farewell) })
	}
	wg.Wait()
	return nil
}
