package rsvp

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// RefreshStore is what [Refresh] needs of a store. A *sqlite.Ledger is one.
type RefreshStore interface {
	Store
	// Upcoming yields the invites whose event is not over at now, whose invitation
	// left, and about which the API was not asked at or after askedBefore; first
	// those that it was never asked about, then by the time it was.
	Upcoming(ctx context.Context, now, askedBefore time.Time) iter.Seq2[ledger.Entry, error]
	// Asked records when the API was asked about an invite. An empty address stands
	// for all the recipients of an invite that was made for several.
	Asked(ctx context.Context, key ledger.Key, at time.Time) error
}

// RefreshOptions say how [Refresh] asks.
type RefreshOptions struct {
	// Concurrency is how many invites are asked about at the same time; 0 means 8.
	Concurrency int
	// MinAge leaves alone what was asked about less than this long ago.
	MinAge time.Duration
	// OnChange, Logger and Now are as in [Config].
	OnChange OnChange
	Logger   *slog.Logger
	Now      func() time.Time
	// Progress is told of each request that is done, one at a time; nil means that
	// nobody is.
	Progress func(Summary)
}

// Summary counts what [Refresh] did.
type Summary struct {
	Asked       int // requests that were answered
	Changed     int // changes that were recorded
	NotFound    int // invites that the API does not know
	Failed      int // requests that failed: ask again later
	Undelivered int // changes that are recorded but were not taken by OnChange
}

// Refresh asks the API how each invite stands whose event is not over.
func Refresh(ctx context.Context, api API, store RefreshStore, o RefreshOptions) (Summary, error) {
	return Summary{}, errors.New("rsvp: not built")
}
