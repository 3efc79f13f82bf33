//go:build unix

package sqlite

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Without room for the copy nothing is changed. The largest file that the other process may write
// stands for the room on the disk: enough for the index of the log, and not for the copy.
func TestUpgradeWithoutRoomForTheCopy(t *testing.T) {
	t.Parallel()
	path := before(t, "2")
	restore(t, path, "UPDATE calendar SET bytes = zeroblob(1000000)")
	was := rows(t, path, nil)
	child := childCommand(t, share, path)
	full := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -f 500 && exec "$0"`, child.Path)
	full.Env = child.Env
	said, err := full.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(said), "writing the backup "+path+".v2.bak before the upgrade, which was not begun")
	assert.Contains(t, string(said), "disk and run again")
	assert.Equal(t, was, rows(t, path, nil))
	assert.NotContains(t, beside(t, path), "ledger.db.v2.bak")

	require.NoError(t, openFile(t, path).Shutdown(t.Context()))
	assert.Contains(t, beside(t, path), "ledger.db.v2.bak", "room was made")
}
