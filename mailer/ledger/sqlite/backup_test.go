package sqlite

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// before restores the ledger of an older version.
func before(t testing.TB, version string) (path string) {
	t.Helper()
	dump, err := os.ReadFile(filepath.Join("testdata", "ledger-"+version+".sql"))
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), "ledger.db")
	restore(t, path, string(dump))
	require.NoError(t, os.Chmod(path, 0o600))
	return path
}

// beside lists what stands beside a file that is not open.
func beside(t testing.TB, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// The copy is the ledger of before, and goes back into its place.
func TestUpgradeKeepsACopy(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1", "2", "3"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			path := before(t, version)
			was := rows(t, path, nil)
			backup := path + ".v" + version + ".bak"
			var log bytes.Buffer
			o := Options{Path: path, Logger: slog.New(slog.NewTextHandler(&log, nil))}
			require.NoError(t, openWith(t, o).Shutdown(t.Context()))
			assert.Contains(t, log.String(), backup)
			assert.ElementsMatch(t, []string{"ledger.db", filepath.Base(backup)}, beside(t, path))
			info, err := os.Stat(backup)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode())
			assert.Equal(t, was, rows(t, backup, nil))

			// Once more, over the copy of the first time.
			require.NoError(t, os.Rename(backup, path))
			require.NoError(t, os.WriteFile(backup, []byte("an older copy"), 0o600))
			l := openWith(t, o)
			assert.Equal(t, was, rows(t, backup, nil))

			log.Reset()
			_, err = l.Forget(t.Context(), time.Now())
			require.NoError(t, err)
			assert.Contains(t, log.String(), "still holds what was forgotten")
			require.NoError(t, l.Shutdown(t.Context()))
		})
	}
}

func TestUpgradeOfAnEmptyLedgerKeepsNoCopy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	older, err := open(t.Context(), Options{Path: path}, known(t)[:3], "rw")
	require.NoError(t, err)
	require.NoError(t, older.Shutdown(t.Context()))
	require.NoError(t, openFile(t, path).Shutdown(t.Context()))
	assert.Equal(t, []string{"ledger.db"}, beside(t, path))
}

// Those who open a file of before at once upgrade it once, and all of them can use it.
func TestManyUpgradeAtOnce(t *testing.T) {
	t.Parallel()
	path := before(t, "2")
	was := rows(t, path, nil)
	var group sync.WaitGroup
	outputs := make([]string, 2)
	for i := range outputs {
		cmd := childCommand(t, share, path)
		group.Go(func() {
			out, err := cmd.Output()
			assert.NoError(t, err)
			outputs[i] = string(out)
		})
	}
	for range 4 {
		group.Go(func() {
			l, err := Open(t.Context(), Options{Path: path})
			if assert.NoError(t, err) {
				assert.NoError(t, l.Shutdown(t.Context()))
			}
		})
	}
	group.Wait()
	assert.Len(t, strings.Fields(outputs[0]+outputs[1]), sharedInvites)
	assert.ElementsMatch(t, []string{"ledger.db", "ledger.db.v2.bak"}, beside(t, path))
	assert.Equal(t, was, rows(t, path+".v2.bak", nil))
}

// The release before this file's version goes on beside the one that brought it, and leaves the
// version alone, unless the newer one says that it cannot.
func TestTwoReleasesSideBySide(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	next := append(known(t), "ALTER TABLE invite ADD COLUMN later TEXT NOT NULL DEFAULT ''")
	newer, err := open(t.Context(), Options{Path: path}, next, "rw")
	require.NoError(t, err)
	defer func() { require.NoError(t, newer.Shutdown(t.Context())) }()
	older := openFile(t, path)
	live(t, older, anna)
	live(t, newer, ben)
	require.NoError(t, older.Shutdown(t.Context()))
	older = openFile(t, path)
	assert.Equal(t, []ledger.Key{anna, ben}, listed(t, older, Filter{}))
	assert.EqualValues(t, len(next), number(t, older, "PRAGMA user_version"))

	runSQL(t, newer, "UPDATE compatibility SET oldest_reader = 5")
	_, err = Open(t.Context(), Options{Path: path})
	require.ErrorIs(t, err, ledger.ErrUnusable)
	require.ErrorContains(t, err, "use the newer program")
}

// What cannot be written is not upgraded, and not copied.
func TestReadOnlyFileIsNotUpgraded(t *testing.T) {
	t.Parallel()
	path := before(t, "2")
	was, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = open(t.Context(), Options{Path: path}, known(t), "ro")
	require.ErrorIs(t, err, ledger.ErrUnusable)
	require.ErrorContains(t, err, "let this user write")
	is, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, was, is)
	assert.Equal(t, []string{"ledger.db"}, beside(t, path))
}
