package submissiontest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"

	"github.com/emersion/go-smtp"
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
	Username string // who was logged in; empty for nobody
}

// Options say what an [Inbox] offers and asks for. The zero value is a server
// without TLS and login that keeps whatever it is given.
type Options struct {
	Hostname    string // default "localhost"
	STARTTLS    bool   // offer STARTTLS
	ImplicitTLS bool   // speak TLS from the first byte
	// Certificate is what TLS shows. Default: a new one for Hostname.
	Certificate *Certificate

	// Username, when set, must log in with Password before MAIL.
	Username, Password string
	// Mechanisms is what AUTH offers: PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-256,
	// XOAUTH2. Default: PLAIN and LOGIN.
	Mechanisms []string
	// LoginInClear permits a login without TLS.
	LoginInClear bool

	SMTPUTF8 bool  // offer SMTPUTF8
	MaxBytes int64 // announced by SIZE and enforced; 0 is no limit

	// Handle takes each message. Its error refuses the message: a
	// *smtp.SMTPError of github.com/emersion/go-smtp with its own code,
	// another with 554. Default: messages are kept for Messages.
	Handle func(Message) error
}

// Inbox is an SMTP server that takes mail. Make one with [NewInbox].
type Inbox struct {
	options Options
	server  *smtp.Server
	memory  *pipeListener
	open    openConns
	serving sync.WaitGroup

	dialed   sync.Once
	setup    sync.Once
	setupErr error

	mu       sync.Mutex
	listener net.Listener // of Start
	addr     string
	messages []Message
}

// NewInbox returns an inbox that answers to its Dial at once. Start opens a
// port as well.
func NewInbox(o Options) *Inbox {
	if o.Hostname == "" {
		o.Hostname = "localhost"
	}
	if len(o.Mechanisms) == 0 {
		o.Mechanisms = []string{"PLAIN", "LOGIN"}
	}
	in := &Inbox{options: o, memory: newPipeListener()}
	in.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &inboxSession{inbox: in, conn: c}, nil
	}))
	in.server.Domain = o.Hostname
	in.server.MaxLineLength = 0
	in.server.MaxMessageBytes = o.MaxBytes
	in.server.AllowInsecureAuth = o.LoginInClear
	in.server.EnableSMTPUTF8 = o.SMTPUTF8
	in.server.ErrorLog = silent{}
	return in
}

// prepare makes the certificate, when one is needed.
func (in *Inbox) prepare() error {
	in.setup.Do(func() {
		if !in.options.STARTTLS && !in.options.ImplicitTLS {
			return
		}
		if in.options.Certificate == nil {
			in.options.Certificate, in.setupErr = NewCertificate(in.options.Hostname)
		}
		if in.setupErr == nil && in.options.STARTTLS {
			in.server.TLSConfig = in.options.Certificate.serverConfig()
		}
	})
	return in.setupErr
}

// Start listens on a free port of 127.0.0.1; Addr tells which.
func (in *Inbox) Start() error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	return in.StartOn(l)
}

// StartOn serves the listener, and closes it in the end.
func (in *Inbox) StartOn(l net.Listener) error {
	if err := in.prepare(); err != nil {
		return errors.Join(err, l.Close())
	}
	in.mu.Lock()
	in.listener, in.addr = l, l.Addr().String()
	in.mu.Unlock()
	in.serve(l)
	return nil
}

func (in *Inbox) serve(l net.Listener) {
	l = tracker{l, &in.open}
	if in.options.ImplicitTLS {
		l = tls.NewListener(l, in.options.Certificate.serverConfig())
	}
	in.serving.Go(func() {
		_ = in.server.Serve(l) // ends when Close closes the listener
	})
}

// Dial connects without a port, whatever the address: it fits Config.Dial of
// package submission.
func (in *Inbox) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := in.prepare(); err != nil {
		return nil, err
	}
	in.dialed.Do(func() { in.serve(in.memory) })
	return in.memory.Dial(ctx, network, addr)
}

// Addr is host:port of the started inbox; empty before Start.
func (in *Inbox) Addr() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.addr
}

// Port is the port of the started inbox; 0 before Start.
func (in *Inbox) Port() int { return portOf(in.Addr()) }

// Certificate is what TLS shows, or nil without TLS.
func (in *Inbox) Certificate() (*Certificate, error) {
	err := in.prepare()
	return in.options.Certificate, err
}

// Messages returns what was kept so far, in the order of arrival.
func (in *Inbox) Messages() []Message {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.messages)
}

// Close stops the server, and waits until all of its goroutines have ended.
// Connections are closed, not finished.
func (in *Inbox) Close() error {
	in.open.closeAll()
	_ = in.memory.Close()
	in.mu.Lock()
	listener := in.listener
	in.mu.Unlock()
	if listener != nil {
		// go-smtp closes only what it serves already, and its goroutine may not
		// have come that far.
		_ = listener.Close()
	}
	err := in.server.Shutdown(context.Background())
	in.serving.Wait()
	if errors.Is(err, smtp.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (in *Inbox) take(m Message) error {
	if in.options.Handle != nil {
		return in.options.Handle(m)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.messages = append(in.messages, m)
	return nil
}

// silent is a go-smtp Logger. What go-smtp says there is that clients hang up.
type silent struct{}

// Printf implements smtp.Logger.
func (silent) Printf(string, ...any) {}

// Println implements smtp.Logger.
func (silent) Println(...any) {}

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
	if s.inbox.options.Username != "" && s.username == "" {
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

func portOf(addr string) int {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return 0
	}
	return n
}
