package submission

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// opening is a connection on its way from the dial to the first MAIL. Each of
// its steps ends in an *Error that names the step; whoever gets one closes it.
type opening struct {
	s        *Submitter
	timeouts Timeouts
	until    time.Time // when it must be ready; zero is no bound
	await    *await
	wire     *wire // nil until the network connection stands
	stop     func() bool
}

// connect opens a connection that is ready for MAIL. The context is obeyed
// until it returns.
func (s *Submitter) connect(ctx context.Context, t Timeouts) (*session, *Error) {
	o := &opening{s: s, timeouts: t, await: &await{log: s.log, host: s.address()}}
	if t.Open > 0 {
		o.until = time.Now().Add(t.Open)
	}
	sess, e := o.run(ctx)
	if o.stop != nil && !o.stop() && e == nil {
		e = &Error{Step: StepLogin, Err: context.Cause(ctx)}
	}
	if e != nil {
		if o.wire != nil {
			_ = o.wire.Close()
		}
		s.log.Debug("smtp connection failed", "host", s.cfg.Host, "step", e.Step, "code", e.Code)
		return nil, e
	}
	o.wire.limit(time.Time{})
	s.log.Debug("smtp connection opened", "host", s.cfg.Host, "tls", sess.protection(), "login", sess.mechanism)
	return sess, nil
}

func (o *opening) run(ctx context.Context) (*session, *Error) {
	if e := o.dial(ctx); e != nil {
		return nil, e
	}
	c := &session{
		wire:      o.wire,
		interrupt: o.wire.interrupt,
		timeouts:  o.timeouts,
		groups:    o.s.groups,
		await:     o.await,
	}
	c.use(o.wire)
	if o.s.cfg.TLS == TLSImplicit {
		if e := o.handshake(ctx, c, o.timeouts.Connect); e != nil {
			return nil, e
		}
	}
	if e := c.greet(ctx); e != nil {
		return nil, o.adviseGreeting(e)
	}
	if e := c.hello(ctx, o.s.cfg.HELOName); e != nil {
		return nil, e
	}
	if o.s.cfg.TLS == TLSStartTLS {
		if e := o.protect(ctx, c); e != nil {
			return nil, e
		}
	}
	if e := o.s.login(ctx, c); e != nil {
		return nil, e
	}
	return c, nil
}

// dial makes the network connection.
func (o *opening) dial(ctx context.Context) *Error {
	limit := o.timeouts.Connect
	if !o.until.IsZero() {
		limit = min(limit, time.Until(o.until))
	}
	dialCtx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	o.await.begin(StepDial)
	conn, err := o.s.cfg.Dial(dialCtx, "tcp", o.s.address())
	o.await.end()
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return &Error{Step: StepDial, Err: context.Cause(ctx)}
	default:
		return &Error{Step: StepDial, Err: describe(err, limit), Advice: "is SMTP_HOST the server, SMTP_PORT its port, and the way open?"}
	}
	o.wire = &wire{Conn: conn}
	o.wire.limit(o.until)
	o.stop = context.AfterFunc(ctx, o.wire.interrupt)
	return nil
}

// adviseGreeting says what a silent server mostly means: it waits for TLS to
// begin (RFC 8314 section 3.3).
func (o *opening) adviseGreeting(e *Error) *Error {
	silent := errors.Is(e.Err, os.ErrDeadlineExceeded) || errors.Is(e.Err, io.EOF)
	if o.s.cfg.TLS != TLSImplicit && silent {
		e.Advice = "the server said nothing: if its port speaks TLS from the start, as 465 does, set SMTP_TLS=implicit"
	}
	return e
}

// protect turns TLS on with STARTTLS, which is mandatory then: there is no way
// past it in clear. What the server offered in clear is forgotten.
func (o *opening) protect(ctx context.Context, c *session) *Error {
	if !c.ext.startTLS {
		return &Error{Step: StepTLS, Err: ErrNoSTARTTLS, config: true,
			Advice: "set SMTP_TLS=implicit if the port speaks TLS from the start, or use the server's submission port; SMTP_TLS=none is for a server on this machine"}
	}
	if e := c.startTLS(ctx); e != nil {
		return e
	}
	if e := o.handshake(ctx, c, o.timeouts.Command); e != nil {
		return e
	}
	return c.hello(ctx, o.s.cfg.HELOName)
}

// handshake puts TLS on the connection.
func (o *opening) handshake(ctx context.Context, c *session, limit time.Duration) *Error {
	limit = o.wire.within(limit)
	c.await.begin(StepTLS)
	conn := tls.Client(o.wire, o.s.tls)
	err := conn.HandshakeContext(ctx)
	c.await.end()
	if err != nil {
		return o.handshakeError(ctx, limit, err)
	}
	state := conn.ConnectionState()
	c.tls = &state
	c.use(conn)
	return nil
}

// handshakeError tells a network that broke (try again) from two sides that
// cannot agree (change the settings).
func (o *opening) handshakeError(ctx context.Context, limit time.Duration, err error) *Error {
	if ctx.Err() != nil {
		return &Error{Step: StepTLS, Err: context.Cause(ctx)}
	}
	e := &Error{Step: StepTLS, Err: describe(err, limit)}
	var (
		notTLS  tls.RecordHeaderError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &unknown):
		e.Advice = "the certificate is signed by nobody this machine trusts: set SMTP_TLS_CA_FILE to the authority's certificate"
	case errors.As(err, &host):
		e.Advice = "the certificate is for another name: set SMTP_HOST to the name it carries"
	case errors.As(err, &invalid):
		e.Advice = "the server's certificate is not valid: have it renewed, and check this machine's clock"
	case errors.As(err, &notTLS):
		if o.s.cfg.TLS != TLSImplicit {
			return e
		}
		e.Advice = "the port does not speak TLS from the start: set SMTP_TLS=starttls"
	case o.wire.failed() != nil:
		return e
	default:
		e.Advice = "client and server find no common TLS: the server must offer TLS 1.2 or later"
	}
	e.config = true
	return e
}

// describe says "no answer" for a time-out, and keeps the cause.
func describe(err error, limit time.Duration) error {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("no answer within %s: %w", limit.Round(time.Millisecond), err)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("server closed the connection: %w", err)
	}
	return err
}

// use speaks over conn from now on: the wire, or TLS on it.
func (c *session) use(conn net.Conn) {
	c.r, c.w, c.closer = bufio.NewReader(conn), bufio.NewWriter(conn), conn
}
