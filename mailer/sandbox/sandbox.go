// Package sandbox is Cronofy's Smart Invites API and a mail server as servers on this machine, to develop and test programs
// against: in Go as a test kit, in any other language as the command "invitemailer sandbox".
//
//	s, err := sandbox.Start(ctx, sandbox.Options{})
//	...
//	defer s.Close()
//	for _, line := range s.Environment() { ... } // CRONOFY_API_KEY=sandbox and the rest
//
// The API is a [cronofytest.Server]: official SDKs work against it once they are told its address. The mail server takes mail for
// everybody, without login, and passes none on.
//
// # How answers come back
//
// At Cronofy, an organizer's mailbox forwards to the API. So does the sandbox: a mail to the address of an invite's organizer with a METHOD:REPLY or
// COUNTER in it is read as an answer ([cronofytest.Server.Reply]). The status changes, and the API posts the callback, signed with
// the key. [Sandbox.Answer] does the same without a mail. All other mail is kept, and so is an answer that changed nothing, with
// the reason in [Mail].Problem.
//
// Callbacks reach loopback addresses only, unless Options.API has a CallbackClient.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/loopback"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// DefaultAPIKey is the key of a sandbox that is given none.
const DefaultAPIKey = "sandbox"

// maxMail is the largest mail that is taken, in bytes, as large providers have it.
const maxMail = 25 << 20

// Options say where a [Sandbox] listens and what it keeps. The zero value works.
type Options struct {
	// APIAddr and SMTPAddr are host:port to listen on; empty means 127.0.0.1:0, a free port. Neither server is made for more than a
	// network that is trusted.
	APIAddr, SMTPAddr string
	// APIKey is the only Bearer key that the API accepts; empty means API.APIKey, or else [DefaultAPIKey]. Callbacks are signed with
	// it, unless API.CallbackSecret is set.
	APIKey string
	// Dir is where mail is kept, an .eml file each; it is created. Empty keeps mail in memory only.
	Dir string
	// API are the simulator's options: faults, latency, limits.
	API cronofytest.Options
	// Logger receives what happens, with people by domain only; nil is silent.
	Logger *slog.Logger
	// OnMail is called with each mail that is kept, before its sender learns that it was taken; from several goroutines. Nil does nothing.
	OnMail func(Mail)
	// Pages answers requests to the API's address that are not for the API; nil answers 404.
	Pages http.Handler
}

// Sandbox is a running simulator and mail server. It is safe for concurrent use.
type Sandbox struct {
	options Options
	api     *cronofytest.Server
	apiAddr string
	http    *http.Server
	inbox   *submissiontest.Inbox
	smtp    net.Listener
	logger  *slog.Logger
	serving sync.WaitGroup

	mail store
}

// Start listens and returns the running sandbox; end it with Close. The context bounds the start only.
func Start(ctx context.Context, o Options) (*Sandbox, error) {
	if o.APIKey != "" {
		o.API.APIKey = o.APIKey
	} else if o.API.APIKey == "" {
		o.API.APIKey = DefaultAPIKey
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Sandbox{options: o, logger: o.Logger, api: cronofytest.New(o.API)}
	if err := s.mail.open(o.Dir); err != nil {
		return nil, err
	}
	s.inbox = submissiontest.NewInbox(submissiontest.Options{SMTPUTF8: true, MaxBytes: maxMail, Handle: s.take})
	apiListener, err := listen(ctx, "API", o.APIAddr)
	if err != nil {
		return nil, err
	}
	smtpListener, err := listen(ctx, "SMTP", o.SMTPAddr)
	if err != nil {
		return nil, errors.Join(err, apiListener.Close())
	}
	s.smtp = &onceListener{Listener: smtpListener}
	if err := s.inbox.StartOn(s.smtp); err != nil {
		return nil, fmt.Errorf("sandbox: mail server: %w", errors.Join(err, apiListener.Close()))
	}
	s.apiAddr = apiListener.Addr().String()
	s.http = &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	s.serving.Go(func() {
		if err := s.http.Serve(apiListener); !errors.Is(err, http.ErrServerClosed) {
			s.logger.Error("the API's server ended", "error", err)
		}
	})
	s.logger.Info("sandbox is ready", "api", s.APIURL(), "smtp", s.SMTPAddr())
	return s, nil
}

func listen(ctx context.Context, name, addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %s address: %w: give a free host:port, or port 0 for any", name, err)
	}
	return l, nil
}

// onceListener can be closed again without an error.
type onceListener struct {
	net.Listener
	once sync.Once
}

func (l *onceListener) Close() (err error) {
	l.once.Do(func() { err = l.Listener.Close() })
	return err
}

// handler answers for the API and the pages. On a loopback address it answers who asks for one, or for localhost: a page from elsewhere that
// points its own name to this machine (DNS rebinding) would otherwise be let in, as the key of a sandbox is no secret.
func (s *Sandbox) handler() http.Handler {
	alone := loopback.Host(s.apiAddr)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case alone && !loopback.Host(r.Host):
			http.Error(w, "this sandbox is for this machine alone: ask for it as localhost", http.StatusForbidden)
		case s.options.Pages == nil || strings.HasSuffix(r.URL.Path, "/v1/smart_invites"):
			s.api.ServeHTTP(w, r)
		default:
			s.options.Pages.ServeHTTP(w, r)
		}
	})
}

// API is the simulator, to look into and to make trouble with.
func (s *Sandbox) API() *cronofytest.Server { return s.api }

// APIURL is the base URL of the API: http://host:port.
func (s *Sandbox) APIURL() string { return "http://" + dialable(s.apiAddr) }

// SMTPAddr is host:port of the mail server.
func (s *Sandbox) SMTPAddr() string { return dialable(s.inbox.Addr()) }

// dialable names this machine where an address says "every interface".
func dialable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// Environment is what a program needs to use the sandbox: NAME=value, one each, by the names that the invitemailer command reads.
func (s *Sandbox) Environment() []string {
	host, port, _ := net.SplitHostPort(s.SMTPAddr()) // it is the address of a listener
	return []string{
		"CRONOFY_API_KEY=" + s.options.API.APIKey,
		"CRONOFY_API_URL=" + s.APIURL(),
		"SMTP_HOST=" + host,
		"SMTP_PORT=" + port,
		"SMTP_TLS=none",
	}
}

// Answer records an answer without a mail, as a button does. See [cronofytest.Server.Answer].
func (s *Sandbox) Answer(ctx context.Context, a cronofytest.Answer) error {
	return s.api.Answer(ctx, a)
}

// Close stops the servers and the callbacks that are on their way, and waits until all goroutines have ended. Files of mail stay.
func (s *Sandbox) Close() error {
	// The listener goes first: the mail server closes only what it has begun to serve, and a sandbox may be closed before that.
	err := errors.Join(s.http.Close(), s.smtp.Close(), s.inbox.Close(), s.api.Close())
	s.serving.Wait()
	return err
}
