package sqlite

import (
	"context"
	"log/slog"
	"slices"
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
	ownsClaim    = `SELECT 1 FROM claim WHERE owner = ? LIMIT 1`
	releaseOwner = `DELETE FROM claim WHERE owner = ?`
)

// Claim implements mailer.Ledger. An invite that this ledger itself holds is in progress, too.
func (l *Ledger) Claim(ctx context.Context, keys ...ledger.Key) (ledger.Claim, error) {
	claim := ledger.Claim{Keys: slices.Clone(keys)}
	if len(keys) == 0 {
		return claim, nil
	}
	err := l.write(ctx, "claiming an invite", false, func(c *conn) error {
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
		l.startBeating()
		return nil
	})
	if err != nil {
		return ledger.Claim{}, err
	}
	return claim, nil
}

// Release implements mailer.Ledger. Give it a context that outlives the work, or
// others wait until the claim has run out.
func (l *Ledger) Release(ctx context.Context, claim ledger.Claim) error {
	if len(claim.Keys) == 0 {
		return nil
	}
	return l.write(ctx, "releasing an invite", false, func(c *conn) error {
		for _, key := range claim.Keys {
			if err := c.exec(releaseClaim, l.application, key.InviteID, key.Address, claim.Token); err != nil {
				return err
			}
		}
		return nil
	})
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
	return l.writeOwn(ctx, "renewing claims", func(c *conn) error {
		return c.exec(renewClaims, l.now().Add(lease), l.owner)
	})
}

func (l *Ledger) releaseAll() error {
	return l.writeOwn(context.Background(), "releasing what is held", func(c *conn) error {
		return c.exec(releaseOwner, l.owner)
	})
}

// writeOwn is commit if this ledger has claims. Without any it does not wait for the lock.
func (l *Ledger) writeOwn(ctx context.Context, doing string, do func(*conn) error) error {
	var held bool
	if err := l.ask(ctx, func(c *conn) (err error) {
		held, err = c.get([]any{new(int)}, ownsClaim, l.owner)
		return err
	}); err != nil || !held {
		return l.explain(doing, err)
	}
	return l.commit(ctx, doing, false, do)
}
