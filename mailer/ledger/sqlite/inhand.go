package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

var (
	claimOn       = `SELECT expires FROM claim WHERE application = ? AND invite_id = ? AND address = ?`
	shortenClaims = `UPDATE claim SET expires = ?2 WHERE application = ?1 AND expires > ?2`
	listClaims    = `
		SELECT c.invite_id, c.address, c.expires, i.id IS NOT NULL FROM claim AS c
		LEFT JOIN invite AS i ON i.application = c.application AND i.invite_id = c.invite_id AND i.address = c.address
		WHERE c.application = ? AND c.expires > ? ORDER BY c.invite_id, c.address`
)

// inHand tells whether a live claim is on an invite.
//
// One that ends later than a lease from now says nothing of its owner, since the clock was set
// back: the owner may have died, or not have come to its next heartbeat yet. It is shortened to
// a lease, which a live owner makes good with that heartbeat.
func (l *Ledger) inHand(c *conn, key ledger.Key, now time.Time) (alive bool, err error) {
	var expires time.Time
	if _, err := c.get([]any{(*micros)(&expires)}, claimOn, l.application, key.InviteID, key.Address); err != nil {
		return false, err
	}
	if latest := now.Add(lease); expires.After(latest) {
		return true, c.exec(shortenClaims, l.application, latest)
	}
	return expires.After(now), nil
}

// Claimed is an invite that a run has in hand.
type Claimed struct {
	Key   ledger.Key
	Until time.Time // when the claim runs out unless its owner, being alive, renews it
	Known bool      // the ledger has something of the invite
}

// InHand lists what runs have in hand, those of this ledger included, ordered by id and
// address. One that ends much later than 20 seconds from now was left by an owner
// whose clock was ahead, and is free soon after it was asked for.
func (l *Ledger) InHand(ctx context.Context) (all []Claimed, err error) {
	err = l.read(ctx, "listing what is in hand", func(c *conn) error {
		return c.query(listClaims, func(rows *sql.Rows) error {
			var one Claimed
			err := rows.Scan(&one.Key.InviteID, &one.Key.Address, (*micros)(&one.Until), &one.Known)
			all = append(all, one)
			return err
		}, l.application, l.now())
	})
	return all, err
}
