package rsvp

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Store keeps RSVPs. A *sqlite.Ledger is one. Its methods are called by many
// goroutines at the same time, and what they wrote is durable when they return.
type Store interface {
	// RecordRSVP adds what was heard of an invite to its history, if it is news or
	// possibly stale by the rules of ledger.History. An invite that the store does not
	// know, or was told to forget, is not known; nothing is written then.
	RecordRSVP(ctx context.Context, key ledger.Key, r ledger.RSVP) (ledger.Recorded, error)
	// RSVPs is what was heard of an invite, oldest first.
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
	// status pending and the number 0 if nothing was heard until then.
	Before, After ledger.RSVP
	// By is who replied: After.By, or the recipient.
	By string
}

// OnChange takes a change. It must obey its context, which ends when the API stops
// waiting for the answer to its callback. An error means that the change is to be
// offered again; see the package's words on delivery.
type OnChange func(context.Context, Change) error

// Outcome is how a callback ended, as a word for metrics.
type Outcome string

// The outcomes of a callback.
const (
	Recorded    Outcome = "recorded"    // it was news, and is recorded and delivered
	Repeated    Outcome = "repeated"    // nothing new
	Late        Outcome = "late"        // a repeat that something newer overtook
	Stale       Outcome = "stale"       // perhaps an answer to what the event was before it was moved; nobody is told
	Unknown     Outcome = "unknown"     // about an invite that the store does not know
	Ignored     Outcome = "ignored"     // of another type, or it names no answer
	BadMethod   Outcome = "bad_method"  // not a POST: 405
	TooLarge    Outcome = "too_large"   // 413
	Unsigned    Outcome = "unsigned"    // no signature fits: 403
	Malformed   Outcome = "malformed"   // the body cannot be read: 400
	Unavailable Outcome = "unavailable" // the store did not take it in time: 503
	Undelivered Outcome = "undelivered" // recorded, but OnChange failed: 503
)

// Config says how callbacks are handled.
type Config struct {
	// Secrets are the application's client_secret or, while it is being replaced,
	// the old and the new one. Required.
	Secrets []string
	// Store keeps what comes. Required.
	Store Store
	// OnChange is told of each change; nil means that nobody is.
	OnChange OnChange
	// API is asked about a callback that may be an old one, delivered late after the
	// event was moved. Nil leaves that to the next [Refresh], and whoever answers as
	// before within a day of the move is told of then.
	API API
	// Logger is told what was refused and why, without addresses; nil means silence.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// MaxBody is the largest body in bytes that is read; 0 means 64 KiB.
	MaxBody int64
	// Observe is told how each callback ended and how long it took, for metrics.
	// It is called by many goroutines at the same time, and must not wait.
	Observe func(Outcome, time.Duration)
}
