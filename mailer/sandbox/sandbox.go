// Package sandbox is Cronofy's Smart Invites API and a mail server as servers on this machine, to
// develop and test programs against: in Go as a test kit, in any other language as the command
// "invitemailer sandbox".
//
//	s, err := sandbox.Start(ctx, sandbox.Options{})
//	...
//	defer s.Close()
//	// ... let the program call s.APIURL() with the key sandbox.DefaultAPIKey,
//	// and submit mail to s.SMTPAddr() ...
//
// The API is a [cronofytest.Server]: official SDKs work against it once they are told its address.
// The mail server takes all mail, without login, and passes none on.
//
// A mail to the address of an invite's organizer with a METHOD:REPLY or COUNTER in it is read as an
// answer ([cronofytest.Server.Reply]), as Cronofy reads what an organizer's mailbox forwards: the
// status changes, and the API posts the callback, signed with the key. All other mail is kept, and
// so is an answer that changed nothing, with the reason in [Mail].Problem.
//
// Callbacks reach loopback addresses only, unless Options.API has a CallbackClient.
package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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
	// APIAddr and SMTPAddr are host:port to listen on; empty means 127.0.0.1:0, a free port. Neither
	// server is made for more than a network that is trusted.
	APIAddr, SMTPAddr string
	// API are the simulator's options: faults, latency, limits. An empty APIKey means
	// [DefaultAPIKey].
	API cronofytest.Options
	// Pages answers requests to the API's address that are not for the API; nil answers 404.
	Pages http.Handler

	// Dir is where mail is kept, an .eml file each; it is created. Empty keeps mail in memory only.
	Dir string
	// OnMail is called with each mail that is kept, before its sender learns that it was taken; from
	// several goroutines. Nil does nothing.
	OnMail func(Mail)

	// Logger receives what happens, with people by domain only; nil is silent.
	Logger *slog.Logger
}

// Sandbox is a running simulator and mail server. It is safe for concurrent use.
type Sandbox struct {
	api     *cronofytest.Server
	apiAddr string
	http    *http.Server
	inbox   *submissiontest.Inbox
	smtp    net.Listener
	logger  *slog.Logger
	onMail  func(Mail)
	serving sync.WaitGroup

	mail store
}

// Format prints nothing of what a Sandbox holds: its key, and state that mails change.
func (s *Sandbox) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "sandbox.Sandbox") }

// Start listens and returns the running sandbox; end it with Close. The context bounds the start
// only.
func Start(ctx context.Context, o Options) (*Sandbox, error) {
	o.API.APIKey = cmp.Or(o.API.APIKey, DefaultAPIKey)
	s := &Sandbox{
		api: cronofytest.New(o.API), onMail: o.OnMail,
		logger: cmp.Or(o.Logger, slog.New(slog.DiscardHandler)),
	}
	if err := s.mail.open(o.Dir); err != nil {
		return nil, err
	}
	s.inbox = submissiontest.NewInbox(submissiontest.Options{SMTPUTF8: true, MaxBytes: maxMail, Handle: s.receive})
	apiListener, err := listen(ctx, "API", o.APIAddr)
	if err != nil {
		return nil, err
	}
	smtpListener, err := listen(ctx, "SMTP", o.SMTPAddr)
	if err != nil {
		return nil, errors.Join(err, apiListener.Close())
	}
	s.smtp = smtpListener
	if err := s.inbox.StartOn(s.smtp); err != nil {
		return nil, fmt.Errorf("sandbox: mail server: %w", errors.Join(err, apiListener.Close()))
	}
	s.apiAddr = apiListener.Addr().String()
	s.http = &http.Server{
		Handler: s.handler(o.Pages), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	s.serving.Go(func() {
		if err := s.http.Serve(apiListener); !errors.Is(err, http.ErrServerClosed) {
			s.logger.Error("the API's server ended", "error", err)
		}
	})
	s.logger.Info("sandbox is ready", "api", s.APIURL(), "smtp", s.SMTPAddr())
	return s, nil
}

func listen(ctx context.Context, name, addr string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cmp.Or(addr, "127.0.0.1:0"))
	if err != nil {
		return nil, fmt.Errorf("sandbox: %s address: %w: give a free host:port, or port 0 for any", name, err)
	}
	return l, nil
}

// handler answers for the API and the pages, on a loopback address only if asked for it or for
// localhost: a page from elsewhere that points its own name to this machine (DNS rebinding) would
// otherwise be let in, as the key of a sandbox is no secret.
func (s *Sandbox) handler(pages http.Handler) http.Handler {
	alone := loopback.Host(s.apiAddr)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case alone && !loopback.Host(r.Host):
			http.Error(w, "this sandbox is for this machine alone: ask for it as localhost",
				http.StatusForbidden)
		case pages == nil || strings.HasSuffix(r.URL.Path, "/v1/smart_invites"):
			s.api.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	})
}

// API is the simulator.
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

// Close stops the servers and the callbacks that are on their way, and waits until all goroutines
// have ended. Files of mail stay.
func (s *Sandbox) Close() error {
	// The listener goes first: the mail server closes only what it has begun to serve.
	err := s.http.Close()
	for _, closed := range []error{s.smtp.Close(), s.inbox.Close(), s.api.Close()} {
		if !errors.Is(closed, net.ErrClosed) {
			err = errors.Join(err, closed)
		}
	}
	s.serving.Wait()
	return err
}
