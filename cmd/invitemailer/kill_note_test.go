package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestKilledWhileNoting kills the command at every point at which it records how
// an invite stands of which nobody is asked and nothing is mailed: what is over,
// and what an earlier crash left in doubt. The next run finishes that.
func TestKilledWhileNoting(t *testing.T) {
	t.Parallel()
	const over = `{"smart_invite_id":"over","recipient":{"email":"over@example.org"},"event":{"summary":"Over","start":"2007-04-29T09:30:00Z","end":"2007-04-29T10:00:00Z"}}`
	const one = `{"smart_invite_id":"one","recipient":{"email":"one@example.org"},"event":{"summary":"One","start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z"}}`
	dying := dyingCommand(t)
	killed := func(t *testing.T, record string) *killed {
		k := newKilled(t, false)
		k.command = dying
		require.NoError(t, os.WriteFile(filepath.Join(k.dir, "one.jsonl"), []byte(record), 0o600))
		return k
	}
	for _, at := range []string{beforeClaim, afterClaim, beforeCreate, afterCreate, beforeRelease, afterRelease} {
		t.Run("over/"+at, func(t *testing.T) {
			t.Parallel()
			k := killed(t, over)
			require.Equal(t, -1, k.run(t, "one.jsonl", at+"#1"))
			k.halfAMinute(t)
			code := k.run(t, "one.jsonl", "")
			if at == beforeClaim || at == afterClaim || at == beforeCreate {
				assert.Equal(t, 1, code, "nothing was recorded, so nothing was told")
			} else {
				assert.Zero(t, code)
			}
			assert.Zero(t, k.run(t, "one.jsonl", ""), "it is told once")
			assert.Zero(t, k.api.Count())
		})
	}
	for _, at := range []string{beforeClaim, afterClaim, beforeFinish, afterFinish, beforeRelease, afterRelease} {
		t.Run("in doubt/"+at, func(t *testing.T) {
			t.Parallel()
			k := killed(t, one)
			require.Equal(t, -1, k.run(t, "one.jsonl", afterContent+"#1"))
			k.halfAMinute(t)
			require.Equal(t, -1, k.run(t, "one.jsonl", at+"#1"))
			k.halfAMinute(t)
			assert.Equal(t, 75, k.run(t, "one.jsonl", ""), "it is not time yet")
			assert.Len(t, k.smtp.Accepted(), 1)
			anHour(t, k.ledger())
			assert.Zero(t, k.run(t, "one.jsonl", ""))
			taken := k.smtp.Accepted()
			require.Len(t, taken, 2)
			assert.Equal(t, string(taken[0].Data), string(taken[1].Data))
		})
	}
}
