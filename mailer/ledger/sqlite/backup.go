package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

func (l *Ledger) backupName(version int) string { return fmt.Sprintf("%s.v%d.bak", l.name, version) }

// backUp copies the file of that version to the one of backupName, which takes the place of an
// earlier copy. It is called in the transaction that changes the schema, before it changes
// anything, so that no other process can write meanwhile. A ledger without invites, or in memory,
// is not worth a copy; the name is empty then.
func (l *Ledger) backUp(ctx context.Context, c *conn, version int) (name string, err error) {
	if l.memory || version == 0 {
		return "", nil
	}
	var worth bool
	if _, err := c.get([]any{&worth}, holdsInvites); err != nil || !worth {
		return "", err
	}
	name = l.backupName(version)
	return name, l.explain("writing the backup "+name+" before the upgrade, which was not begun", l.copyTo(ctx, name))
}

// copyTo writes a copy of the file, with mode 0600, that is there whole or not at all.
func (l *Ledger) copyTo(ctx context.Context, name string) (err error) {
	unfinished, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(unfinished.Name()) }() // it has another name if all went well
	db, err := openDB(l.dsn, 1)
	if err == nil {
		_, err = db.ExecContext(ctx, "VACUUM INTO ?", unfinished.Name())
		err = errors.Join(err, db.Close())
	}
	if err == nil {
		err = unfinished.Sync()
	}
	if err = errors.Join(err, unfinished.Close()); err != nil {
		return err
	}
	return os.Rename(unfinished.Name(), name)
}

// warnOfBackups tells that copies of before still hold what was forgotten.
func (l *Ledger) warnOfBackups(ctx context.Context) {
	changes, err := migrations()
	if l.memory || err != nil {
		return
	}
	for version := range changes {
		name := l.backupName(version)
		if _, err := os.Stat(name); err == nil {
			l.log.LogAttrs(ctx, slog.LevelWarn, "a backup made by an upgrade still holds what was forgotten: delete it",
				slog.String("ledger", l.name), slog.String("backup", name))
		}
	}
}
