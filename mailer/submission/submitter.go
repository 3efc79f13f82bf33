package submission

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"github.com/invitemailer/invitemailer/internal/limitwait"
	"github.com/invitemailer/invitemailer/internal/waiting"
)

// Submitter submits messages to one server. It is safe for concurrent use.
type Submitter struct {
	cfg    Config // without the login
	logsIn bool
	// login returns username and password: a function, so that printing a Submitter shows neither.
	login func() (username, password string)
	tls   *tls.Config
	log   *slog.Logger

	pool   *pool
	groups *groups
	rate   *rate           // nil without a limit
	stop   <-chan struct{} // see Until
}

// New checks everything that can be checked without the network, and reports every problem at once
// (see [ConfigError]). It opens no connection.
func New(cfg Config) (*Submitter, error) {
	cfg = cfg.withDefaults()
	err := cfg.check()
	tlsConfig, tlsErr := cfg.tlsConfig()
	if err = errors.Join(err, tlsErr); err != nil {
		return nil, err
	}
	username, password := cfg.Username, cfg.Password
	s := &Submitter{
		logsIn: cfg.logsIn(),
		login:  func() (string, string) { return username, password },
		tls:    tlsConfig,
		log:    cfg.Logger,
		pool:   &pool{most: cfg.Connections, empty: make(chan struct{})},
		groups: new(groups),
	}
	cfg.Username, cfg.Password = "", ""
	s.cfg = cfg
	if cfg.RatePerMinute > 0 {
		s.rate = newRate(cfg.RatePerMinute, time.Minute)
	}
	return s, nil
}

// Until returns a Submitter that shares everything with s, its connections and its limit included,
// and begins no message once stop is closed: whatever waits for a connection or a limit then ends,
// as NotBegun, with an error that wraps [ErrStopped]. What is under way is finished. A stop that s
// has from before does not count.
func (s *Submitter) Until(stop <-chan struct{}) *Submitter {
	bound := *s
	bound.stop = stop
	return &bound
}

// Submit hands one message to the server, and says exactly how that ended. Lines of msg end with
// CRLF; a bare CR or LF is an error. The bytes are sent as they are, with dots doubled as SMTP asks
// (RFC 5321 section 4.5.2), and a final CRLF when it is missing.
//
// It waits for one of Config.Connections, first come, first served; after connections have failed,
// for five seconds at most. When the context ends, it returns at once: with NotBegun before the end
// of the message was handed over, with Unknown after.
func (s *Submitter) Submit(ctx context.Context, env Envelope, msg []byte) Result {
	checked, e := examine(env, msg)
	if e != nil {
		return e.result(env)
	}
	r, e := s.deliver(ctx, env, checked)
	if e == nil {
		return Result{Outcome: Accepted, Step: StepDot, Code: r.code, EnhancedCode: r.enhanced, Reply: r.line(),
			Connection: r.via.number, LoginUnused: r.via.loginUnused}
	}
	return e.result(env)
}

// deliver finds a connection for a message and runs its transaction. It does so again where that
// makes up for a connection that was of no use: no content was sent then.
func (s *Submitter) deliver(ctx context.Context, env Envelope, msg content) (reply, *Error) {
	var met *Error // how the server turned this message away, for want of a connection
	replaced, granted, grouped := false, s.rate == nil, true
	waitCtx, done := waiting.Until(ctx, s.stop, ErrStopped)
	defer done()
	c, e := s.pool.enter(waitCtx, false)
	for e == nil {
		if c == nil {
			var elsewhere bool
			if c, elsewhere, e = s.open(waitCtx, met); e != nil {
				s.pool.leave(nil)
			}
			if elsewhere {
				met = e
				c, e = s.pool.enter(waitCtx, true)
			}
			if c == nil {
				continue
			}
		}
		if !granted {
			ended := limitwait.Begin(ctx)
			err := s.rate.wait(waitCtx)
			ended(err)
			if err != nil {
				s.pool.leave(c)
				return reply{}, &Error{Step: StepMail, Err: err}
			}
			granted, c.kept = true, true
		}
		r, failed := s.transact(ctx, c, env, msg, grouped)
		switch {
		case failed == nil || ctx.Err() != nil:
		case failed.stale && !replaced, failed.ungrouped && grouped:
			replaced = replaced || failed.stale
			grouped = grouped && !failed.ungrouped
			s.pool.replace(c)
			c = nil
			continue
		case failed.Code == 421 && s.pool.turnedAway() && failed.Step == StepMail && met == nil:
			met = failed
			s.pool.leave(c)
			c, e = s.pool.enter(waitCtx, true)
			continue
		}
		s.pool.leave(c)
		return r, failed
	}
	return reply{}, e
}

// open opens a connection for a message that has a place without one. When it reports elsewhere,
// another connection can carry the message that met e.
func (s *Submitter) open(ctx context.Context, met *Error) (c *session, elsewhere bool, e *Error) {
	if e := s.pool.begin(ctx, met); e != nil {
		return nil, false, e
	}
	if c, e = s.connect(ctx, s.cfg.OpenTimeout); e == nil {
		c.lastUsed = time.Now()
		c.via.loginUnused = !s.logsIn && len(c.ext.mechanism) > 0
	}
	elsewhere = s.pool.opened(ctx, c, e)
	if elsewhere {
		s.log.Info("smtp server takes no further connection", "host", s.cfg.Host, "step", e.Step, "code", e.Code)
	}
	return c, elsewhere, e
}

// transact runs one transaction under the context.
func (s *Submitter) transact(ctx context.Context, c *session, env Envelope, msg content, grouped bool) (reply, *Error) {
	stop := context.AfterFunc(ctx, c.wire.interrupt)
	r, e := c.transact(ctx, env, msg, grouped)
	c.sent++
	r.via = c.via
	if e != nil {
		e.via = c.via
	}
	if !stop() {
		c.broken = true // interrupted, or about to be
	}
	if !grouped && s.groups.settle(e) {
		s.log.Info("smtp server offers PIPELINING and cannot do it: commands go one by one from now on",
			"host", s.cfg.Host)
	}
	return r, e
}

// Shutdown refuses new messages, and those that wait for a connection: their Submit returns
// NotBegun. It says QUIT on every idle connection, each within five seconds, and closes it, waits
// for the messages in hand, whose connections go the same way, and returns nil. If ctx ends first,
// it returns an error that wraps its cause, and the messages in hand go on. It may be called again.
func (s *Submitter) Shutdown(ctx context.Context) error { return s.pool.shutdown(ctx) }
