package sqlite

import (
	"errors"
	"fmt"
	"syscall"

	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// ConfigError says what is wrong with a field of [Options]. [Open] returns it wrapped, with
// [ledger.ErrUnusable].
type ConfigError struct{ Field, Problem string }

func (e *ConfigError) Error() string { return "Options." + e.Field + ": " + e.Problem }

// failure says which ledger failed at what, and what a person can do about it.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// explain makes a failure of err, unless it is one.
func (l *Ledger) explain(doing string, err error) error {
	var done failure
	if err == nil || errors.As(err, &done) {
		return err
	}
	var advice string
	var sort error
	var e *modernc.Error
	if errors.As(err, &e) {
		advice, sort = advise(e.Code())
	} else if errors.Is(err, syscall.ENOSPC) {
		advice, sort = advise(sqlite3.SQLITE_FULL)
	}
	if sort == nil {
		return failure{fmt.Errorf("ledger %s: %s: %w", l.name, doing, err)}
	}
	return failure{fmt.Errorf("ledger %s: %s: %w: %w: %s", l.name, doing, sort, err, advice)}
}

// unusable is a refusal that SQLite knows nothing of.
func (l *Ledger) unusable(format string, args ...any) error {
	args = append([]any{l.name, ledger.ErrUnusable}, args...)
	return failure{fmt.Errorf("ledger %s: opening it: %w: "+format, args...)}
}

// isBusy tells whether err is about a lock that another connection holds.
func isBusy(err error) bool {
	var e *modernc.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// advise reads a result code (https://www.sqlite.org/rescode.html): what to do, and whether that
// is ledger.ErrBusy or ledger.ErrUnusable. Both are empty for a code that no person can act on.
func advise(code int) (advice string, sort error) {
	switch code & 0xff { // the primary result code
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return "another process holds its lock; run again when that one is done", ledger.ErrBusy
	case sqlite3.SQLITE_FULL:
		return "make room on the disk and run again", ledger.ErrBusy
	case sqlite3.SQLITE_IOERR:
		return "check the space and the health of the disk and run again", ledger.ErrBusy
	case sqlite3.SQLITE_NOTADB:
		return "the file is not a ledger; name another one", ledger.ErrUnusable
	case sqlite3.SQLITE_CORRUPT:
		return "the file is damaged; restore it from a backup or recover it with the sqlite3 shell", ledger.ErrUnusable
	case sqlite3.SQLITE_READONLY:
		return "let this user write the file and its directory", ledger.ErrUnusable
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return "check the path, and let this user write the file and its directory", ledger.ErrUnusable
	default:
		return "", nil
	}
}
