// Package sandbox is Cronofy's API and a mail server as servers on this machine, to develop and test programs against.
package sandbox

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// Options say where a [Sandbox] listens and what it keeps. The zero value works.
type Options struct {
	// APIAddr and SMTPAddr are host:port to listen on; empty means 127.0.0.1:0, a free port.
	APIAddr, SMTPAddr string
	// APIKey is the Bearer key that the API accepts and signs callbacks with; empty means API.APIKey, or else [DefaultAPIKey].
	APIKey string
	// Dir is where mail is kept, an .eml file each; it is created. Empty keeps mail in memory only.
	Dir string
	// API are the simulator's options: faults, latency, limits.
	API cronofytest.Options
	// Logger receives what happens, people by domain only; nil is silent.
	Logger *slog.Logger
	// OnMail is called with each mail that is kept, before the sender learns that it was taken; nil does nothing.
	OnMail func(Mail)
	// Pages answers requests to the API's address that are not for the API; nil answers 404.
	Pages http.Handler
}

// DefaultAPIKey is the key of a sandbox that is given none.
const DefaultAPIKey = "sandbox"

// Mail is a message that was submitted to the sandbox.
type Mail struct {
	// ID is unique in a sandbox: "1", "2" and so on, or the numbers that follow those of the files in Dir.
	ID string
	// From and To are the envelope.
	From string
	To   []string
	// Raw is the message as it came, CRLF line ends. It must not be changed.
	Raw []byte
	At  time.Time
	// File is its path, empty without Dir.
	File string
	// Problem says why this answer to an organizer changed nothing: a [*cronofytest.ReplyError]. It is nil for all other mail.
	Problem error
}

// Sandbox is a running simulator and mail server.
type Sandbox struct{ api *cronofytest.Server }

// Start listens. The context bounds the start only.
func Start(_ context.Context, o Options) (*Sandbox, error) {
	return &Sandbox{api: cronofytest.New(o.API)}, nil
}

// API is the simulator.
func (s *Sandbox) API() *cronofytest.Server { return s.api }

// APIURL is the base URL of the API.
func (s *Sandbox) APIURL() string { return "" }

// SMTPAddr is host:port of the mail server.
func (s *Sandbox) SMTPAddr() string { return "" }

// Environment is what a program needs to use the sandbox: NAME=value, one each.
func (s *Sandbox) Environment() []string { return nil }

// Mails returns the mail kept so far, the newest last.
func (s *Sandbox) Mails() []Mail { return nil }

// Answer records an answer without any mail, as a button does. See [cronofytest.Server.Answer].
func (s *Sandbox) Answer(ctx context.Context, a cronofytest.Answer) error { return s.api.Answer(ctx, a) }

// Close stops the servers, and waits until all goroutines have ended. Mail files stay.
func (s *Sandbox) Close() error { return s.api.Close() }
