package sqlite

import (
	"context"
	cryptorand "crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// applicationID marks a file as a ledger ("InvM",
// https://www.sqlite.org/pragma.html#pragma_application_id).
const applicationID = 0x496e764d

//go:embed schema/1.sql
var schema1 string

// Version 2 keeps RSVPs.
//
//go:embed schema/2.sql
var schema2 string

// Version 3 keeps the invites of several applications apart, counts the copies of a
// mail whose end is not known, and keeps which revision an RSVP answers.
//
//go:embed schema/3.sql
var schema3 string

// migrations leads from each version of the schema to the next: the n-th is what
// makes a file of version n-1 one of version n. What has been released is never
// changed, only added to.
func migrations() []string { return []string{schema1, schema2, schema3} }

var (
	begin    = "BEGIN IMMEDIATE"
	commit   = "COMMIT"
	rollback = "ROLLBACK"

	// In one statement, so that another process cannot change it in between.
	identify = `
		SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id AS a, pragma_user_version AS v`

	danglingKey = `SELECT "table" FROM pragma_foreign_key_check`

	readMeta   = `SELECT api_url, salt FROM meta`
	createMeta = `INSERT OR IGNORE INTO meta (id, api_url, salt, token) VALUES (1, ?, ?, 0)`
	nameAPI    = `UPDATE meta SET api_url = ? WHERE api_url = ''`
)

// boundLog gives back what the log grew to beyond 16 MiB, while somebody was
// reading or Forget wrote the file anew. It is taken into the file whenever it has
// 1,000 pages, as SQLite does by itself: longer ones were measured to save nothing.
const boundLog = `PRAGMA journal_size_limit = 16777216`

// prepareFile makes of a connection's file a ledger of the newest version, or
// says why that cannot be. It writes nothing if it is one.
func (l *Ledger) prepareFile(ctx context.Context, c *conn, steps []string, o *Options) error {
	version, err := l.version(c, len(steps))
	if err != nil {
		return err
	}
	if !l.memory {
		if readOnly, err := l.writer.readOnly(); err != nil {
			return l.explain("opening it", err)
		} else if readOnly {
			return l.unusable("it is read-only: let this user write the file and its directory")
		}
		if err := l.useLog(ctx, c); err != nil {
			return err
		}
		if err := l.explain("opening it", l.sync(c, power)); err != nil {
			return err
		}
	}
	if version < len(steps) {
		if err := l.migrateAll(ctx, c, steps, version); err != nil {
			return err
		}
	}
	if err := l.identity(ctx, c); err != nil {
		return err
	}
	if err := l.belong(ctx, c, o); err != nil {
		return err
	}
	return l.explain("opening it", c.script(boundLog))
}

// useLog makes the file one with a write-ahead log, unless it is. That is the one
// statement which SQLite refuses at once if another connection writes: it reads
// the file and then asks for the lock, and two that wait for each other's reading
// to end would wait for ever (https://www.sqlite.org/c3ref/busy_handler.html). So
// it is asked for again, as those who open a new file at the same time all do.
func (l *Ledger) useLog(ctx context.Context, c *conn) error {
	const sql, longest = "PRAGMA journal_mode = WAL", 32 * time.Millisecond
	waiting, stop := context.WithTimeout(ctx, l.timeout)
	defer stop()
	err := c.script(sql)
	for bound := 2 * time.Millisecond; isBusy(err); bound = min(2*bound, longest) {
		select {
		case <-waiting.Done():
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return l.explain("opening it", err)
		case <-time.After(bound/2 + rand.N(bound/2+1)): // so that they do not meet again
		}
		if again := c.within(waiting).script(sql); again == nil || waiting.Err() == nil {
			err = again
		}
	}
	return l.explain("opening it", err)
}

// version refuses what is not a ledger or newer than this program.
func (l *Ledger) version(c *conn, newest int) (version int, err error) {
	var id, objects int64
	_, err = c.get([]any{&id, &version, &objects}, identify)
	switch {
	case err != nil:
		return 0, l.explain("opening it", err)
	case id == 0 && version == 0 && objects == 0:
		return 0, nil
	case id != applicationID:
		return 0, l.unusable("the file is a database of another program: name another file")
	case version > newest:
		return 0, l.unusable("it has version %d and this program knows %d: use the newer program that wrote it", version, newest)
	}
	return version, nil
}

// migrateAll takes all steps that are missing. Meanwhile foreign keys are not
// enforced but checked after each step, as a step may put a new table into the
// place of one that others refer to (https://www.sqlite.org/lang_altertable.html#otheralter).
// Within a transaction that cannot be said.
func (l *Ledger) migrateAll(ctx context.Context, c *conn, steps []string, version int) (err error) {
	if err := c.script("PRAGMA foreign_keys = OFF"); err != nil {
		return l.explain("bringing it to the current version", err)
	}
	defer func() {
		err = errors.Join(err, l.explain("opening it", c.within(context.WithoutCancel(ctx)).script("PRAGMA foreign_keys = ON")))
	}()
	for version < len(steps) {
		if version, err = l.migrate(ctx, c, steps); err != nil {
			return err
		}
	}
	return nil
}

// migrate takes one step in one transaction, unless another process was faster.
func (l *Ledger) migrate(ctx context.Context, c *conn, steps []string) (version int, err error) {
	err = transact(ctx, c, func() error {
		if version, err = l.version(c, len(steps)); err != nil || version >= len(steps) {
			return err
		}
		if err := c.script(steps[version]); err != nil {
			return err
		}
		var table string
		if found, err := c.get([]any{&table}, danglingKey); err != nil {
			return err
		} else if found {
			return fmt.Errorf("step to version %d: a row of table %s refers to one that is not there", version+1, table)
		}
		version++
		return c.script(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version))
	})
	return version, l.explain("bringing it to the current version", err)
}

// identity makes sure that the file belongs to the API of the options, and reads
// the salt.
func (l *Ledger) identity(ctx context.Context, c *conn) error {
	api, err := l.meta(c)
	if err == nil && (l.salt == nil || api == "" && l.api != "") {
		if err = transact(ctx, c, func() error {
			salt := make([]byte, 16)
			_, _ = cryptorand.Read(salt) // never fails
			if err := c.exec(createMeta, l.api, salt); err != nil {
				return err
			}
			return c.exec(nameAPI, l.api)
		}); err == nil {
			api, err = l.meta(c)
		}
	}
	switch {
	case err != nil:
		return l.explain("reading what it belongs to", err)
	case l.api != "" && api != l.api:
		return l.unusable("it belongs to the API at %s and not to %s: name another file for another API", api, l.api)
	}
	return nil
}

func (l *Ledger) meta(c *conn) (api string, err error) {
	_, err = c.get([]any{&api, &l.salt}, readMeta)
	return api, err
}

// transact runs fn in a transaction that has the lock for writing from its begin
// on: only there it waits, and only there ctx can stop it.
func transact(ctx context.Context, c *conn, fn func() error) error {
	err := c.within(ctx).exec(begin)
	c = c.within(context.WithoutCancel(ctx))
	if err == nil {
		if err = fn(); err == nil {
			err = c.exec(commit)
		}
	}
	if err != nil {
		// Nothing is to be rolled back if the begin failed, or SQLite did it by
		// itself: an error of this is not news.
		_ = c.exec(rollback)
	}
	return err
}
