package submission

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// extensions is what the server's last EHLO offered (RFC 5321 section 4.1.1.1).
type extensions struct {
	size      bool  // RFC 1870
	maxSize   int64 // 0 is no limit
	eightBit  bool  // 8BITMIME, RFC 6152
	utf8      bool  // SMTPUTF8, RFC 6531
	mechanism []string

	pipelining bool // RFC 2920
}

// opening is a connection on its way from the dial to the first MAIL. Each of
// its steps ends in an *Error that names the step; whoever gets one closes it.
type opening struct {
	s    *Submitter
	wire *wire // nil until the network connection stands
	stop func() bool
	tls  error // what the handshake of implicit TLS said

	client *smtp.Client
}

// connect opens a connection that is ready for MAIL. The context is obeyed
// until it returns.
func (s *Submitter) connect(ctx context.Context) (*session, *Error) {
	o := &opening{s: s}
	sess, e := o.run(ctx)
	if o.stop != nil && !o.stop() && e == nil {
		e = &Error{Step: StepLogin, Err: context.Cause(ctx)}
	}
	if e != nil {
		if o.wire != nil {
			_ = o.wire.Close() // go-mail leaves it open
		}
		s.log.Debug("smtp connection failed", "host", s.cfg.Host, "step", e.Step, "code", e.Code)
		return nil, e
	}
	s.log.Debug("smtp connection opened", "host", s.cfg.Host, "tls", sess.protection(), "login", sess.mechanism)
	return sess, nil
}

func (o *opening) run(ctx context.Context) (*session, *Error) {
	if e := o.dial(ctx); e != nil {
		return nil, e
	}
	if e := o.protect(ctx); e != nil {
		return nil, e
	}
	sess := o.session()
	if e := o.s.login(ctx, sess); e != nil {
		return nil, e
	}
	return sess, nil
}

// dial has go-mail connect, read the greeting and say EHLO. STARTTLS and the
// login follow one by one, because go-mail's errors do not tell its steps
// apart.
func (o *opening) dial(ctx context.Context) *Error {
	var dialErr error
	client, err := mail.NewClient(o.s.cfg.Host,
		mail.WithPort(o.s.cfg.Port),
		mail.WithHELO(o.s.cfg.HELOName),
		mail.WithTLSPolicy(mail.NoTLS), // see protect
		mail.WithTimeout(o.s.cfg.Timeouts.Connect),
		mail.WithDialContextFunc(func(ctx2 context.Context, network, addr string) (net.Conn, error) {
			conn, err := o.open(ctx, ctx2, network, addr)
			dialErr = err
			return conn, err
		}))
	if err != nil {
		return &Error{Step: StepDial, Err: err, permanent: true}
	}
	client.ErrorHandlerRegistry.SetDefaultHandler(onlyUnknownCommand{o})
	o.client, err = client.DialToSMTPClientWithContext(ctx)
	switch {
	case err == nil:
		return nil
	case o.tls != nil:
		return o.handshakeError(ctx, err)
	case dialErr != nil:
		return o.failed(ctx, StepDial, dialErr, "is SMTP_HOST the server, SMTP_PORT its port, and the way open?")
	}
	advice := ""
	if o.s.cfg.TLS == TLSStartTLS && errors.Is(err, io.EOF) {
		advice = "the server said nothing: if its port speaks TLS from the start, set SMTP_TLS=implicit"
	}
	return o.failed(ctx, StepGreeting, err, advice)
}

// open makes the network connection, and TLS on it when that comes first.
func (o *opening) open(ctx, dialCtx context.Context, network, addr string) (net.Conn, error) {
	dialCtx, cancel := context.WithTimeout(dialCtx, o.s.cfg.Timeouts.Connect)
	defer cancel()
	conn, err := o.s.cfg.Dial(dialCtx, network, addr)
	if err != nil {
		return nil, err
	}
	o.wire = newWire(conn, o.s.cfg.Timeouts.Command)
	o.stop = context.AfterFunc(ctx, o.wire.interrupt)
	if o.s.cfg.TLS != TLSImplicit {
		return o.wire, nil
	}
	tlsConn := tls.Client(o.wire, o.s.tls)
	if o.tls = tlsConn.HandshakeContext(dialCtx); o.tls != nil {
		return nil, o.tls
	}
	return tlsConn, nil
}

// protect turns TLS on with STARTTLS, which is mandatory then: there is no way
// past it in clear.
func (o *opening) protect(ctx context.Context) *Error {
	if o.s.cfg.TLS != TLSStartTLS {
		return nil
	}
	if ok, _ := o.client.Extension("STARTTLS"); !ok {
		return &Error{Step: StepTLS, Err: ErrNoSTARTTLS, config: true,
			Advice: "set SMTP_TLS=implicit if the port speaks TLS from the start, or use the server's submission port; SMTP_TLS=none is for a server on this machine"}
	}
	err := o.client.StartTLS(o.s.tls)
	if err == nil {
		return nil
	}
	if said := (*textproto.Error)(nil); errors.As(err, &said) {
		e := o.failed(ctx, StepTLS, err, "")
		e.config = e.Code >= 500
		return e
	}
	return o.handshakeError(ctx, err)
}

// handshakeError tells a network that broke (try again) from two sides that
// cannot agree (change the settings).
func (o *opening) handshakeError(ctx context.Context, err error) *Error {
	e := o.failed(ctx, StepTLS, err, "")
	var (
		notTLS  tls.RecordHeaderError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case ctx.Err() != nil || errors.Is(e.Err, ErrOutOfStep) || errors.Is(err, context.DeadlineExceeded):
		return e
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

// failed makes an *Error of what go-mail returned.
func (o *opening) failed(ctx context.Context, step StepName, err error, advice string) *Error {
	var said *textproto.Error
	var garbage textproto.ProtocolError
	switch {
	case ctx.Err() != nil:
		return &Error{Step: step, Err: context.Cause(ctx)}
	case errors.As(err, &said):
		r := newReply(said.Code, said.Msg)
		if r.class() == 4 || r.class() == 5 {
			return refusal(step, r)
		}
		return outOfStep(step, r)
	case errors.As(err, &garbage):
		return outOfStep(step, reply{text: clean(string(garbage))})
	}
	return &Error{Step: step, Err: describe(err, 0), Advice: advice}
}

// describe says "no answer" for a time-out, and keeps the cause.
func describe(err error, limit time.Duration) error {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout() && limit > 0:
		return fmt.Errorf("no answer within %s: %w", limit, err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("no answer in time: %w", err)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("server closed the connection: %w", err)
	}
	return err
}

// onlyUnknownCommand keeps go-mail from following a failed EHLO with HELO
// unless the server really said that it does not know EHLO (RFC 5321 section
// 3.2): after anything else the two sides are out of step.
type onlyUnknownCommand struct{ o *opening }

// HandleError implements smtp.ResponseErrorHandler.
func (h onlyUnknownCommand) HandleError(_, command string, _ *textproto.Conn, err error) error {
	var said *textproto.Error
	if command == "ehlo" && errors.As(err, &said) && (said.Code == 500 || said.Code == 502 || said.Code == 504) {
		return err
	}
	_ = h.o.wire.Close()
	return err
}

// session takes the connection over from go-mail.
func (o *opening) session() *session {
	sess := &session{
		moment:    o.s.cfg.Moment,
		wire:      o.wire,
		interrupt: o.wire.interrupt,
		r:         o.client.Text.R,
		w:         o.client.Text.W,
		closer:    o.client.Text,
		timeouts:  o.s.cfg.Timeouts,
		groups:    &o.s.groups,
		greeting:  clean(o.client.HelloResponse()),
	}
	if state, ok := o.client.TLSConnectionState(); ok {
		sess.tls = &state
	}
	var limit, mechanisms string
	sess.ext.size, limit = o.client.Extension("SIZE")
	sess.ext.maxSize, _ = strconv.ParseInt(limit, 10, 64) // not a number: no limit is known
	sess.ext.eightBit, _ = o.client.Extension("8BITMIME")
	sess.ext.utf8, _ = o.client.Extension("SMTPUTF8")
	sess.ext.pipelining, _ = o.client.Extension("PIPELINING")
	_, mechanisms = o.client.Extension("AUTH")
	sess.ext.mechanism = strings.Fields(strings.ToUpper(mechanisms))
	return sess
}
