package sqlite

import (
	"context"
	cryptorand "crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/invitemailer/invitemailer/internal/backoff"
	"github.com/invitemailer/invitemailer/internal/migrate"
)

// applicationID marks a file as a ledger ("InvM",
// https://www.sqlite.org/pragma.html#pragma_application_id).
const applicationID = 0x496e764d

// firstWithReader is the first version that says which programs can use the file: one that does
// not know it refuses every newer version.
const firstWithReader = 4

// files lead from each version of the schema to the next: 1 begins, 2 keeps RSVPs, 3 keeps the
// invites of several applications apart, 4 says which programs can use the file. Package migrate
// has the rules; a change that programs of before cannot work with ends with
// UPDATE compatibility SET oldest_reader = N.
//
//go:embed schema/*.sql
var files embed.FS

func migrations() (migrate.Changes, error) {
	numbered, err := fs.Sub(files, "schema")
	if err != nil {
		return nil, err
	}
	return migrate.Read(numbered)
}

var (
	begin    = "BEGIN IMMEDIATE"
	commit   = "COMMIT"
	rollback = "ROLLBACK"

	// In one statement, so that another process cannot change it in between.
	identify = `
		SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id AS a, pragma_user_version AS v`

	readOldestReader = `SELECT oldest_reader FROM compatibility`
	// An invite that was forgotten is one, too.
	holdsInvites = `SELECT EXISTS (SELECT 1 FROM invite) OR EXISTS (SELECT 1 FROM tombstone)`

	danglingKey = `SELECT "table" FROM pragma_foreign_key_check`

	readMeta   = `SELECT api_url, salt FROM meta`
	createMeta = `INSERT OR IGNORE INTO meta (id, api_url, salt, token) VALUES (1, ?, ?, 0)`
	nameAPI    = `UPDATE meta SET api_url = ? WHERE api_url = ''`
)

// boundLog gives back what the log grew to beyond 16 MiB, while another connection
// was reading or Forget wrote the file anew. It is taken into the file whenever it has
// 1,000 pages, as SQLite does by itself: longer ones were measured to save nothing.
const boundLog = `PRAGMA journal_size_limit = 16777216`

// prepareFile makes of a connection's file a ledger of this program's version, or says why that
// cannot be. It writes nothing if it is one, or a newer one that this program can use.
func (l *Ledger) prepareFile(ctx context.Context, c *conn, changes migrate.Changes, o *Options) error {
	at, err := l.schema(c)
	if err != nil {
		return err
	}
	missing, err := changes.Missing(at)
	if err != nil {
		return l.unusable("%w", err)
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
		if err := l.sync(c, true); err != nil {
			return l.explain("opening it", err)
		}
	}
	if len(missing) > 0 {
		if err := l.migrate(ctx, c, changes); err != nil {
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

// useLog makes the file one with a write-ahead log, unless it is. SQLite refuses this one statement
// at once if another connection writes, as those that open a new file at the same time all do: it
// reads the file and then asks for the lock, and two that wait for each other's reading to end
// would wait for ever (https://www.sqlite.org/c3ref/busy_handler.html). So it is run again.
func (l *Ledger) useLog(ctx context.Context, c *conn) error {
	waits := backoff.Backoff{First: 2 * time.Millisecond, Max: 32 * time.Millisecond}
	end := time.After(l.timeout)
	for failures := 1; ; failures++ {
		err := c.script("PRAGMA journal_mode = WAL")
		if !isBusy(err) {
			return l.explain("opening it", err)
		}
		select {
		case <-ctx.Done():
			return l.explain("opening it", ctx.Err())
		case <-end:
			return l.explain("opening it", err)
		case <-time.After(waits.Half(failures, rand.Float64())):
		}
	}
}

// schema reads where the file stands, and refuses what is not a ledger.
func (l *Ledger) schema(c *conn) (at migrate.State, err error) {
	var id, objects int64
	_, err = c.get([]any{&id, &at.Version, &objects}, identify)
	switch {
	case err != nil:
		return at, l.explain("opening it", err)
	case id == 0 && at.Version == 0 && objects == 0:
		return at, nil
	case id != applicationID:
		return at, l.unusable("the file is a database of another program: name another file")
	case at.Version < firstWithReader:
		at.OldestReader = at.Version
		return at, nil
	}
	_, err = c.get([]any{&at.OldestReader}, readOldestReader)
	return at, l.explain("opening it", err)
}

// migrate makes all changes that are missing in one transaction, unless another process was
// faster. Meanwhile foreign keys are not enforced but checked at the end, as a change may put a
// new table into the place of one that others refer to
// (https://www.sqlite.org/lang_altertable.html#otheralter). That cannot be switched within a
// transaction.
func (l *Ledger) migrate(ctx context.Context, c *conn, changes migrate.Changes) (err error) {
	doing := fmt.Sprintf("bringing it to version %d", len(changes))
	if err := c.script("PRAGMA foreign_keys = OFF"); err != nil {
		return l.explain(doing, err)
	}
	defer func() {
		err = errors.Join(err, l.explain(doing,
			c.within(context.WithoutCancel(ctx)).script("PRAGMA foreign_keys = ON")))
	}()
	var backup string
	if err := transact(ctx, c, func() error {
		at, err := l.schema(c)
		if err != nil {
			return err
		}
		missing, err := changes.Missing(at)
		if err != nil {
			return l.unusable("%w", err)
		}
		if len(missing) == 0 {
			return nil
		}
		if backup, err = l.backUp(ctx, c, at.Version); err != nil {
			return err
		}
		for _, change := range missing {
			if err := c.script(change); err != nil {
				return err
			}
		}
		var table string
		if found, err := c.get([]any{&table}, danglingKey); err != nil {
			return err
		} else if found {
			return fmt.Errorf("a row of table %s refers to one that is not there", table)
		}
		return c.script(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d",
			applicationID, len(changes)))
	}); err != nil {
		return l.explain(doing, err)
	}
	if backup != "" {
		l.log.LogAttrs(ctx, slog.LevelInfo, "the ledger was upgraded; a copy of before is kept until you delete it",
			slog.String("ledger", l.name), slog.Int("version", len(changes)), slog.String("backup", backup))
	}
	return nil
}

// identity makes sure that the file belongs to the API of the options, and reads the salt.
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
