package rsvp

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Store keeps RSVPs. A *sqlite.Ledger is one. Its methods are called by many
// goroutines at the same time, and what they wrote is durable when they return.
type Store interface {
	// RecordRSVP adds an answer to the history of an invite, if it is news or
	// possibly stale by the rules of ledger.History. An invite that the store does not
	// know, or was told to forget, is not known; nothing is written then.
	RecordRSVP(ctx context.Context, key ledger.Key, r ledger.RSVP) (ledger.Recorded, error)
	// RSVPs is the history of an invite, oldest first.
	RSVPs(ctx context.Context, key ledger.Key) ([]ledger.RSVP, error)
	// RSVPDelivered marks one of them as taken by the application, and its callback,
	// if answered, as one that will not come again.
	RSVPDelivered(ctx context.Context, key ledger.Key, number int64, answered bool) error
	// Undelivered yields the invites of which an RSVP is recorded that the application
	// has not taken.
	Undelivered(ctx context.Context) iter.Seq2[ledger.Entry, error]
}

// Change is one step in the answers to an invite.
type Change struct {
	InviteID  string
	Recipient string // the address that was invited
	// Before and After are the RSVPs on both sides of the change. Before has the
	// status pending and the number 0 if it is the first.
	Before, After ledger.RSVP
	// By is who replied: After.By, or the recipient.
	By string
}

// OnChange takes a change. It is called by many goroutines, and must obey its context,
// which ends when the API stops waiting for the answer to its callback. An error means
// that the change is to be offered again; see "Delivery" in the package's documentation.
type OnChange func(context.Context, Change) error

// Config says how callbacks are handled.
type Config struct {
	// Secrets are the application's client_secret or, while it is being replaced,
	// the old and the new one. Required.
	Secrets []string `json:"-"`
	// Store keeps the answers. Required.
	Store Store

	// OnChange is told of each change; nil tells nothing.
	OnChange OnChange
	// API is asked about a callback that may be an old one, delivered late after the
	// event was moved. Nil leaves that to the next [Refresh]: an answer that says the same
	// as before, within a day of the move, is told then.
	API API

	// Logger gets what was refused and why, without addresses; nil means silence.
	Logger *slog.Logger
	// Observe is told how each callback ended and how long it took, for metrics. It is
	// called by many goroutines at the same time, and must not wait. The outcomes are
	//
	//	recorded     it was news, and is recorded and delivered
	//	repeated     nothing new
	//	late         a repeat that something newer overtook
	//	stale        perhaps an answer to what the event was before it was moved; not told
	//	unknown      about an invite that the store does not know
	//	ignored      of another type, or it names no answer
	//	bad_method   not a POST
	//	too_large    larger than 64 KiB
	//	unsigned     no signature fits
	//	malformed    the body cannot be read
	//	unavailable  the store did not take it in time
	//	undelivered  recorded, but OnChange failed
	Observe func(outcome string, took time.Duration)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Format shows how much is set, and no secret, for every verb of package fmt; package
// slog prints with it, too. The tag of the field keeps the secrets out of JSON.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "rsvp.Config{Secrets: %d, Store: %T, OnChange: %t}", len(c.Secrets), c.Store,
		c.OnChange != nil)
}

// ConfigError says what is wrong with a field of [Config].
type ConfigError struct{ Field, Problem string }

// Error implements error.
func (e *ConfigError) Error() string { return "rsvp: " + e.Field + ": " + e.Problem }
