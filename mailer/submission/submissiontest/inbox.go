package submissiontest

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"

	"github.com/emersion/go-smtp"

	"github.com/invitemailer/invitemailer/internal/smtptest"
)

// Message is one message that an [Inbox] took.
type Message struct {
	From     string
	To       []string
	Data     []byte // exactly as received, CRLF line ends, dots undoubled
	SMTPUTF8 bool   // MAIL had that parameter
	EightBit bool   // MAIL had BODY=8BITMIME
	Size     int64  // MAIL's SIZE; 0 without it
	TLS      bool   // it came over TLS
	Username string // the login; empty without one
}

// Options say what an [Inbox] offers and asks for. The zero value is a server without TLS and login
// that keeps whatever it is given.
type Options struct {
	STARTTLS    bool // offer STARTTLS; the certificate is for localhost
	ImplicitTLS bool // speak TLS from the first byte

	// Username, when set, must log in with Password before MAIL.
	Username, Password string `json:"-"`
	// Mechanisms is what AUTH offers: PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-256, XOAUTH2. Default:
	// PLAIN and LOGIN.
	Mechanisms []string
	// LoginInClear permits a login without TLS.
	LoginInClear bool

	SMTPUTF8 bool  // offer SMTPUTF8
	MaxBytes int64 // announced by SIZE and enforced; 0 is no limit

	// Handle takes each message. Its error refuses the message: a *smtp.SMTPError of
	// github.com/emersion/go-smtp with its own code, another with 554. Default: messages are kept
	// for Messages.
	Handle func(Message) error `json:"-"`
}

// Format implements fmt.Formatter, for all verbs: no login is printed.
func (o Options) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "submissiontest.Options{login: %t, SMTPUTF8: %t}", o.Username != "", o.SMTPUTF8)
}

// Inbox is an SMTP server that takes mail. Make one with [NewInbox]. It is safe for concurrent use.
type Inbox struct {
	options  func() Options // a function, so that printing an Inbox shows no login
	server   *smtp.Server
	listener smtptest.Listener
	pem      []byte
	serve    func() // once
	serving  sync.WaitGroup

	mu       sync.Mutex
	messages []Message
}

// NewInbox returns an inbox that answers to its Dial at once. Start opens a port as well.
func NewInbox(o Options) *Inbox {
	if len(o.Mechanisms) == 0 {
		o.Mechanisms = []string{"PLAIN", "LOGIN"}
	}
	in := &Inbox{options: func() Options { return o }}
	in.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &inboxSession{inbox: in, conn: c}, nil
	}))
	in.server.Domain = "localhost"
	in.server.MaxLineLength = 0
	in.server.MaxMessageBytes = o.MaxBytes
	in.server.AllowInsecureAuth = o.LoginInClear
	in.server.EnableSMTPUTF8 = o.SMTPUTF8
	in.server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // it tells that clients hang up
	var listener net.Listener = &in.listener
	if o.STARTTLS || o.ImplicitTLS {
		certificate := smtptest.NewCertificate()
		in.pem = certificate.PEM
		if o.STARTTLS {
			in.server.TLSConfig = certificate.TLS
		}
		if o.ImplicitTLS {
			listener = tls.NewListener(listener, certificate.TLS)
		}
	}
	in.serve = sync.OnceFunc(func() {
		in.serving.Go(func() {
			_ = in.server.Serve(listener) // ends when Close closes the listener
		})
	})
	return in
}

// Start listens on a free port of 127.0.0.1; Addr tells which.
func (in *Inbox) Start() error {
	in.serve()
	return in.listener.Start()
}

// StartOn serves the listener, and closes it in the end.
func (in *Inbox) StartOn(l net.Listener) error {
	in.serve()
	return in.listener.StartOn(l)
}

// Dial connects without a port, whatever the address: it fits Config.Dial of package submission.
func (in *Inbox) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	in.serve()
	return in.listener.Dial(ctx, network, addr)
}

// Addr is host:port of the started inbox.
func (in *Inbox) Addr() string { return in.listener.Addr().String() }

// Port is the port of the started inbox; 0 before Start.
func (in *Inbox) Port() int { return in.listener.Port() }

// CertificatePEM is what a client must trust, or nil without TLS.
func (in *Inbox) CertificatePEM() []byte { return in.pem }

// Messages returns what was kept so far, in the order of arrival.
func (in *Inbox) Messages() []Message {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.messages)
}

// Close stops the server, and waits until all of its goroutines have ended. Connections are closed,
// not finished.
func (in *Inbox) Close() error {
	err := in.listener.Close()
	_ = in.server.Shutdown(context.Background()) // waits; what it closes is closed
	in.serving.Wait()
	return err
}

func (in *Inbox) take(m Message) error {
	if handle := in.options().Handle; handle != nil {
		return handle(m)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.messages = append(in.messages, m)
	return nil
}

// inboxSession is one connection's session with go-smtp.
type inboxSession struct {
	inbox    *Inbox
	conn     *smtp.Conn
	username string
	message  Message
}

// Reset implements smtp.Session.
func (s *inboxSession) Reset() { s.message = Message{} }

// Logout implements smtp.Session.
func (s *inboxSession) Logout() error { return nil }

// Mail implements smtp.Session.
func (s *inboxSession) Mail(from string, o *smtp.MailOptions) error {
	if s.inbox.options().Username != "" && s.username == "" {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	_, secure := s.conn.TLSConnectionState()
	s.message = Message{From: from, SMTPUTF8: o.UTF8, EightBit: o.Body == smtp.Body8BitMIME, Size: o.Size,
		TLS: secure, Username: s.username}
	return nil
}

// Rcpt implements smtp.Session.
func (s *inboxSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.message.To = append(s.message.To, to)
	return nil
}

// Data implements smtp.Session.
func (s *inboxSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.message.Data = data
	return s.inbox.take(s.message)
}
