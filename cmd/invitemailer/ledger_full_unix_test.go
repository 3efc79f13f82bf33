//go:build unix

package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDiskFull: a ledger that can grow no more ends the run with 75, in its middle
// or at once. Every mail that left is on record, and the next run sends the
// missing ones, with a second copy only of those whose outcome found no space.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	const n, inDoubt = 200, 4
	for name, blocks := range map[string]string{"at once": "8", "in the middle": "3000"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newTrouble(t)
			file := filepath.Join(p.dir, "invites.jsonl")
			writeInvites(t, file, n)
			// The largest file of the process stands for the space on the disk.
			run := p.exec(t, "sh", "-c", "ulimit -f "+blocks+` && exec invitemailer send --retry-for=0s "$0"`, file)
			require.Equal(t, int(exitTempfail), run.code, run.stderr)
			assert.Contains(t, run.stderr, "disk")
			left := p.copies(t)
			if name == "at once" {
				assert.Empty(t, left)
			} else {
				assert.NotEmpty(t, left)
				assert.Less(t, len(left), n)
			}

			recorded := make(map[string]string)
			for text := range strings.Lines(p.exec(t, "invitemailer", "status").out) {
				var l line
				require.NoError(t, json.Unmarshal([]byte(text), &l))
				recorded[l.Recipient] = string(l.Outcome)
			}
			for to := range left {
				assert.Contains(t, []string{"sent", "unknown"}, recorded[to], "the mail to %s is on record", to)
			}

			if name == "in the middle" {
				letClaimsRunOut(t, filepath.Join(p.dir, "ledger.sqlite"))
			}
			run = p.run(t, "invitemailer", file)
			// One that was about to leave when the run stopped may not have left: that
			// could not be recorded either, so that it is in doubt like the others.
			assert.Len(t, p.inbox.Messages(), len(p.copies(t)), "nothing twice before its time")
			if run.code == int(exitTempfail) { // something is in doubt
				anHour(t, filepath.Join(p.dir, "ledger.sqlite"))
				run = p.run(t, "invitemailer", file)
			}
			assert.Zero(t, run.code, run.stderr)
			assert.Len(t, p.copies(t), n)
			assert.LessOrEqual(t, len(p.inbox.Messages()), n+inDoubt, "second copies")
		})
	}
}
