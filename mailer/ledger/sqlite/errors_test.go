package sqlite

import (
	"testing"

	"github.com/stretchr/testify/assert"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Busy is for trying again, unusable for a person to fix: exit codes hang on it.
func TestResultCodesAreToldApart(t *testing.T) {
	t.Parallel()
	for want, codes := range map[error][]int{
		ledger.ErrBusy: {
			sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_BUSY_RECOVERY, sqlite3.SQLITE_LOCKED,
			sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC,
			sqlite3.SQLITE_IOERR_SHMSIZE,
		},
		ledger.ErrUnusable: {
			sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CORRUPT_INDEX, sqlite3.SQLITE_READONLY,
			sqlite3.SQLITE_READONLY_DBMOVED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CANTOPEN_ISDIR,
			sqlite3.SQLITE_PERM,
		},
		nil: {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISUSE},
	} {
		for _, code := range codes {
			advice, sort := advise(code)
			assert.Equal(t, want, sort, "code %d", code)
			assert.Equal(t, want != nil, advice != "", "code %d", code)
		}
	}
}
