package submission

import (
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

// connect opens a connection that is ready for MAIL, within limit. The context is obeyed until
// it returns.
func (s *Submitter) connect(ctx context.Context, limit time.Duration) (*session, *Error) {
	late := fmt.Errorf("no answer within %s: %w", limit, os.ErrDeadlineExceeded)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, late)
	defer cancel()
	c := &session{s: s}
	e := c.dial(ctx)
	if e == nil {
		stop := context.AfterFunc(ctx, c.wire.interrupt)
		e = c.open(ctx)
		if !stop() && e == nil {
			e = &Error{Step: StepLogin, Err: context.Cause(ctx)}
		}
		if e != nil {
			_ = c.wire.Close()
		}
	}
	if e != nil {
		s.log.Debug("smtp connection failed", "host", s.cfg.Host, "step", e.Step, "code", e.Code)
		return nil, e
	}
	s.log.Debug("smtp connection opened", "host", s.cfg.Host, "tls", c.protection(), "login", c.mechanism)
	return c, nil
}

// dial makes the network connection.
func (c *session) dial(ctx context.Context) *Error {
	dialCtx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	done := c.s.tell(StepDial)
	conn, err := c.s.cfg.Dial(dialCtx, "tcp", c.s.address())
	done()
	switch {
	case err == nil:
		c.wire = &wire{Conn: conn}
		c.use(c.wire)
		return nil
	case ctx.Err() != nil:
		return &Error{Step: StepDial, Err: context.Cause(ctx)}
	}
	return &Error{Step: StepDial, Err: describe(err, connectTimeout),
		Advice: "is Config.Host the server, Config.Port its port, and the way open?"}
}

// open does what stands between the dial and the first MAIL.
func (c *session) open(ctx context.Context) *Error {
	mode := c.s.cfg.TLS
	if mode == TLSImplicit {
		if e := c.handshake(ctx, connectTimeout); e != nil {
			return e
		}
	}
	if e := c.greet(ctx); e != nil {
		return e
	}
	if e := c.hello(ctx); e != nil {
		return e
	}
	if mode == TLSStartTLS {
		if e := c.protect(ctx); e != nil {
			return e
		}
	}
	return c.login(ctx)
}

// protect turns TLS on with STARTTLS, which is mandatory then: there is no way past it in
// clear. What the server offered in clear is forgotten.
func (c *session) protect(ctx context.Context) *Error {
	if !c.ext.startTLS {
		return &Error{Step: StepTLS, Err: errNoSTARTTLS, config: true,
			Advice: "set Config.TLS=implicit if the port speaks TLS from the start, or use the server's " +
				"submission port; Config.TLS=none is for a server on this machine"}
	}
	if e := c.startTLS(ctx); e != nil {
		return e
	}
	if e := c.handshake(ctx, commandTimeout); e != nil {
		return e
	}
	return c.hello(ctx)
}

// handshake puts TLS on the connection.
func (c *session) handshake(ctx context.Context, limit time.Duration) *Error {
	c.wire.within(limit)
	defer c.s.tell(StepTLS)()
	conn := tls.Client(c.wire, c.s.tls)
	if err := conn.HandshakeContext(ctx); err != nil {
		return c.handshakeError(ctx, limit, err)
	}
	state := conn.ConnectionState()
	c.tls = &state
	c.use(conn)
	return nil
}

// handshakeError tells a network that broke (try again) from two sides that cannot agree
// (change the settings).
func (c *session) handshakeError(ctx context.Context, limit time.Duration, err error) *Error {
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
		e.Advice = "the certificate is signed by nobody this machine trusts: " +
			"set Config.CAFile to the authority's certificate"
	case errors.As(err, &host):
		e.Advice = "the certificate is for another name: set Config.Host to the name it carries"
	case errors.As(err, &invalid):
		e.Advice = "the server's certificate is not valid: have it renewed, and check this machine's clock"
	case errors.As(err, &notTLS):
		if c.s.cfg.TLS != TLSImplicit {
			return e
		}
		e.Advice = "the port does not speak TLS from the start: set Config.TLS=starttls"
	case networkBroke(err):
		return e
	default:
		e.Advice = "client and server find no common TLS: the server must offer TLS 1.2 or later"
	}
	e.config = true
	return e
}

// networkBroke tells an error of the connection from one of TLS, which has alerts in the form of
// the former.
func networkBroke(err error) bool {
	var op *net.OpError
	var network net.Error
	switch {
	case errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"):
		return false
	case errors.As(err, &network):
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe)
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
