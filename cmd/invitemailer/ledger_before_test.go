package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLedgersOfBefore: a new program invites no recipient anew. What earlier ones left
// behind in their ledgers is unchanged to it, whether it comes with a name or not.
func TestLedgersOfBefore(t *testing.T) {
	t.Parallel()
	const ledgers = "../../mailer/ledger/sqlite/testdata/"
	records, err := os.ReadFile(ledgers + "ledger.jsonl")
	require.NoError(t, err)
	for _, version := range []string{"1", "2"} {
		for _, name := range []string{"", "hr"} {
			t.Run(version+name, func(t *testing.T) {
				t.Parallel()
				p := newTrouble(t)
				dump, err := os.ReadFile(ledgers + "ledger-" + version + ".sql")
				require.NoError(t, err)
				c, done, err := openSQL(filepath.Join(p.dir, "ledger.sqlite"))
				require.NoError(t, err)
				_, err = c.ExecContext(t.Context(), string(dump))
				require.NoError(t, err)
				require.NoError(t, c.Close())
				require.NoError(t, done())
				// No server listens there, and none needs to.
				p.env = append(p.env, "CRONOFY_API_URL=http://127.0.0.1:18090", "INVITEMAILER_APPLICATION="+name,
					"ORGANIZER_NAME=Acme HR", "ORGANIZER_EMAIL=hr@acme.example")

				before := p.exec(t, "invitemailer", "status")
				assert.Zero(t, before.code, before.stderr)
				assert.Equal(t, 7, strings.Count(before.out, "\n"))
				require.NoError(t, os.WriteFile(filepath.Join(p.dir, "ledger.jsonl"), records, 0o600))
				run := p.exec(t, "invitemailer", "send", "--all", "ledger.jsonl")
				assert.Zero(t, run.code, run.stderr)
				assert.Equal(t, 5, strings.Count(run.out, `"outcome":"unchanged"`), run.out)
				after := p.exec(t, "invitemailer", "status")
				assert.Equal(t, before.out, after.out)
			})
		}
	}
}
