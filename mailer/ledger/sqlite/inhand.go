package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

var (
	claimOn       = `SELECT token, expires FROM claim WHERE application = ? AND invite_id = ? AND address = ?`
	shortenClaims = `UPDATE claim SET expires = ?2 WHERE application = ?1 AND expires > ?2`
	listClaims    = `
		SELECT c.invite_id, c.address, c.expires, i.id IS NOT NULL FROM claim AS c
		LEFT JOIN invite AS i ON i.application = c.application AND i.invite_id = c.invite_id AND i.address = c.address
		WHERE c.application = ? AND c.expires > ? ORDER BY c.invite_id, c.address`
)

// sighting is a claim that ended later than one does that is made now: the clock
// was set back since its last heartbeat.
type sighting struct {
	token, expires int64
	at             time.Duration // when it was seen, by elapsed
}

// inHand tells whether a live claim is on an invite.
//
// One that ends later than a lease from now says nothing of its owner, who may have
// died while the clock was a day ahead, or live and not have come to its next
// heartbeat yet. It is shortened to a lease, which a live owner makes good with
// that heartbeat, and which runs out for everybody if there is none, however short
// the runs are that ask. This ledger itself goes by a monotonic clock: to it
// the claim is dead once it has not changed for a lease, and not before.
//
// It is called in transactions of the one connection that writes, so that
// sightings need no lock.
func (l *Ledger) inHand(c *conn, key ledger.Key, now time.Time) (alive bool, err error) {
	var token, expires int64
	if _, err := c.get([]any{&token, &expires}, claimOn, l.application, key.InviteID, key.Address); err != nil {
		return false, err
	}
	if seen, ok := l.sightings[key]; ok {
		if seen.token == token && seen.expires == expires {
			return l.elapsed()-seen.at < lease, nil
		}
		delete(l.sightings, key) // it was renewed, or given back
	}
	latest := now.Add(lease)
	if expires <= latest.UnixMicro() {
		return expires > now.UnixMicro(), nil
	}
	if err := c.exec(shortenClaims, l.application, latest); err != nil {
		return false, err
	}
	l.sightings[key] = sighting{token, latest.UnixMicro(), l.elapsed()}
	return true, nil
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
