package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

var (
	findPast = `
		SELECT i.id, i.invite_id, i.address FROM invite AS i JOIN revision AS r ON r.id = i.latest
		WHERE i.application = ?1 AND coalesce(i.ends_at, r.at) < ?2
			AND NOT EXISTS (SELECT 1 FROM claim AS c
				WHERE c.application = i.application AND c.invite_id = i.invite_id AND c.address = i.address
					AND c.expires > ?3)`
	forgetInvite   = `DELETE FROM invite WHERE id = ?`
	putTombstone   = `INSERT OR IGNORE INTO tombstone (application, hash) VALUES (?, ?)`
	dropDeadClaims = `DELETE FROM claim WHERE application = ? AND expires <= ?`
	overwrite      = `PRAGMA secure_delete = ON`
	overwriteNot   = `PRAGMA secure_delete = OFF`
	checkpoint     = `PRAGMA wal_checkpoint(TRUNCATE)`
)

// Forget removes the invites whose event was over before that time, and tells how
// many those were. An event that is not over yet is never forgotten, whatever
// the time given; one whose end is not known counts as over at the time of its
// last outcome. How it ended does not matter, but what a run has in hand stays.
//
// What is left is a salted hash of each key, by which Lookup tells that it is
// forgotten, so that an old input invites no one anew. Addresses are gone from
// the file and its log byte for byte when Forget returns without an error. With
// [ledger.ErrBusy] they may not be, though their rows are: forget again.
//
// A backup that an upgrade made (see the package comment) is not touched; a warning tells of it.
//
// The file is written anew, which takes its size in free space, and time in which others wait.
func (l *Ledger) Forget(ctx context.Context, before time.Time) (n int, err error) {
	const doing = "forgetting what is past"
	if err := l.calls.begin(); err != nil {
		return 0, l.explain(doing, err)
	}
	defer l.calls.end()
	now := l.now()
	if before.After(now) {
		before = now
	}
	err = l.writer.with(ctx, func(c *conn) (err error) {
		if err := c.script(overwrite); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.script(overwriteNot)) }()
		if err := l.sync(c, true); err != nil {
			return err
		}
		if err := transact(ctx, c, func() error {
			n, err = l.forgetPast(c, before, now)
			return err
		}); err != nil {
			return err
		}
		l.warnOfBackups(ctx)
		return l.compact(ctx, c)
	})
	return n, l.explain(doing, err)
}

func (l *Ledger) forgetPast(c *conn, before, now time.Time) (removed int, err error) {
	type past struct {
		id  int64
		key ledger.Key
	}
	var found []past
	if err := c.query(findPast, func(rows *sql.Rows) error {
		var p past
		err := rows.Scan(&p.id, &p.key.InviteID, &p.key.Address)
		found = append(found, p)
		return err
	}, l.application, before, now); err != nil {
		return 0, err
	}
	for _, p := range found {
		if err := c.exec(putTombstone, l.application, l.hash(p.key)); err != nil {
			return 0, err
		}
		if err := c.exec(forgetInvite, p.id); err != nil {
			return 0, err
		}
	}
	if err := c.exec(dropDeadClaims, l.application, now); err != nil {
		return 0, err
	}
	// What a run left in hand whose clock was ahead, the next call forgets.
	err = c.exec(shortenClaims, l.application, now.Add(lease))
	return len(found), err
}

// compact writes the file anew, as deleted text can still stand in pages that
// were written before Forget began, and empties the log.
func (l *Ledger) compact(ctx context.Context, c *conn) error {
	if err := c.within(ctx).script("VACUUM"); err != nil || l.memory {
		return err
	}
	busy := false
	if _, err := c.get([]any{&busy, new(int), new(int)}, checkpoint); err != nil {
		return err
	}
	if busy {
		return failure{fmt.Errorf("ledger %s: forgetting what is past: %w: another process is reading, so that "+
			"the log could not be emptied: forget again when that one is done", l.name, ledger.ErrBusy)}
	}
	return nil
}
