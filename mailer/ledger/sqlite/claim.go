package sqlite

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// A claim outlives three heartbeats that fail.
const (
	heartbeat = 5 * time.Second
	lease     = 20 * time.Second
)

var (
	nextToken = `UPDATE meta SET token = token + 1 RETURNING token`
	takeClaim = `INSERT OR REPLACE INTO claim (application, invite_id, address, token, owner, expires)
		VALUES (?, ?, ?, ?, ?, ?)`
	renewClaims  = `UPDATE claim SET expires = ? WHERE owner = ?`
	releaseClaim = `DELETE FROM claim WHERE application = ? AND invite_id = ? AND address = ? AND token = ?`
	releaseOwner = `DELETE FROM claim WHERE owner = ?`
)

// claims are those that this ledger holds, and the goroutine that keeps them
// alive, which runs only while there are any.
type claims struct {
	mu      sync.Mutex
	tokens  map[int64]struct{}
	stop    context.CancelFunc // nil while there is no goroutine
	beating sync.WaitGroup
}

// Claim implements mailer.Ledger. An invite that this ledger itself holds is in
// progress, too.
func (l *Ledger) Claim(ctx context.Context, keys ...ledger.Key) (ledger.Claim, error) {
	claim := ledger.Claim{Keys: slices.Clone(keys)}
	if len(keys) == 0 {
		return claim, nil
	}
	const doing = "claiming an invite"
	if err := l.calls.begin(); err != nil {
		return ledger.Claim{}, l.explain(doing, err)
	}
	defer l.calls.end() // once the claim is kept: what is kept is released by Shutdown
	err := l.commit(ctx, doing, func(c *conn) error {
		now := l.now()
		for _, key := range keys {
			if alive, err := l.inHand(c, key, now); err != nil {
				return err
			} else if alive {
				return ledger.ErrInProgress
			}
		}
		if _, err := c.get([]any{&claim.Token}, nextToken); err != nil {
			return err
		}
		for _, key := range keys {
			if err := c.exec(takeClaim,
				l.application, key.InviteID, key.Address, claim.Token, l.owner, now.Add(lease)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return ledger.Claim{}, err
	}
	l.keep(claim.Token)
	return claim, nil
}

// Release implements mailer.Ledger. Give it a context that outlives the work, or
// others wait until the claim has run out.
func (l *Ledger) Release(ctx context.Context, claim ledger.Claim) error {
	if len(claim.Keys) == 0 {
		return nil
	}
	l.drop(claim.Token)
	return l.write(ctx, "releasing an invite", func(c *conn) error {
		for _, key := range claim.Keys {
			if err := c.exec(releaseClaim, l.application, key.InviteID, key.Address, claim.Token); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *Ledger) keep(token int64) {
	l.claims.mu.Lock()
	defer l.claims.mu.Unlock()
	if l.claims.tokens == nil {
		l.claims.tokens = make(map[int64]struct{})
	}
	l.claims.tokens[token] = struct{}{}
	if l.claims.stop == nil {
		var ctx context.Context
		ctx, l.claims.stop = context.WithCancel(context.Background())
		l.claims.beating.Go(func() { l.beatUntil(ctx) })
	}
}

func (l *Ledger) drop(token int64) {
	l.claims.mu.Lock()
	defer l.claims.mu.Unlock()
	delete(l.claims.tokens, token)
	if len(l.claims.tokens) == 0 && l.claims.stop != nil {
		l.claims.stop()
		l.claims.stop = nil
	}
}

func (l *Ledger) beatUntil(ctx context.Context) {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := l.beat(ctx); err != nil && ctx.Err() == nil {
				l.log.LogAttrs(ctx, slog.LevelWarn, "claims on invites were not renewed; trying again",
					slog.Any("error", err), slog.Duration("in", heartbeat))
			}
		}
	}
}

// beat renews all claims of this ledger.
func (l *Ledger) beat(ctx context.Context) error {
	return l.commit(ctx, "renewing claims", func(c *conn) error {
		return c.exec(renewClaims, l.now().Add(lease), l.owner)
	})
}

// halt stops the heartbeat and tells whether claims are held.
func (cs *claims) halt() (held bool) {
	cs.mu.Lock()
	held = len(cs.tokens) > 0
	if cs.stop != nil {
		cs.stop()
		cs.stop = nil
	}
	cs.mu.Unlock()
	cs.beating.Wait()
	return held
}

func (l *Ledger) releaseAll() error {
	if !l.claims.halt() {
		return nil
	}
	return l.commit(context.Background(), "releasing what is held", func(c *conn) error {
		return c.exec(releaseOwner, l.owner)
	})
}
