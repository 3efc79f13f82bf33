package main

import (
	"bytes"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/mailer"
)

// What a ledger of any schema says was sent is not sent again: the same input over
// it is unchanged from first to last. One changed byte in a fingerprint would mail
// everybody again. Nothing listens where the API and the mail server are said to be.
func TestNoUpgradeInvitesAnew(t *testing.T) {
	t.Parallel()
	inputs := filepath.Join("..", "..", "testdata", "upgrade")
	dumps, err := filepath.Glob(filepath.Join(inputs, "ledger-*.sql"))
	require.NoError(t, err)
	require.NotEmpty(t, dumps)
	want := fingerprints(t, filepath.Join(inputs, "fingerprints.tsv"))
	for _, dump := range dumps {
		t.Run(filepath.Base(dump), func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "ledger.sqlite")
			restore(t, dump, file)
			c := exec.CommandContext(t.Context(), "invitemailer", "send", "--json", "--all",
				filepath.Join(inputs, "invites.jsonl"), filepath.Join(inputs, "invites.csv"))
			c.Env = []string{
				"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "INVITEMAILER_LEDGER=sqlite:" + file,
				"CRONOFY_API_URL=http://127.0.0.1:8099", "CRONOFY_API_KEY=sandbox",
				"SMTP_HOST=127.0.0.1", "SMTP_PORT=1", "SMTP_TLS=none",
				"ORGANIZER_NAME=Default office", "ORGANIZER_EMAIL=office@example.org",
			}
			var said bytes.Buffer
			c.Stderr = &said
			out, err := c.Output()
			require.NoError(t, err, said.String())
			mails := make(map[[2]string]string) // Message-IDs
			for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
				var r mailer.Receipt
				require.NoError(t, d.Decode(&r))
				assert.Equal(t, mailer.Unchanged, r.Outcome, r.InviteID)
				a, err := address.Parse(r.Recipient)
				require.NoError(t, err)
				mails[[2]string{r.InviteID, a.Key()}] = r.MessageID
			}
			assert.Len(t, mails, len(want)-1, "all but who stayed when another was withdrawn")
			checkFingerprints(t, file, want, mails)
		})
	}
}

// fingerprints reads the golden file: of each invite, the fingerprint and the
// Message-ID.
func fingerprints(t *testing.T, file string) map[[2]string][2]string {
	t.Helper()
	f, err := os.Open(file) //nolint:gosec // a file of the repository
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	r := csv.NewReader(f)
	r.Comma = '\t'
	rows, err := r.ReadAll()
	require.NoError(t, err)
	all := make(map[[2]string][2]string)
	for _, row := range rows[1:] {
		all[[2]string{row[0], row[1]}] = [2]string{row[3], row[4]}
	}
	return all
}

func restore(t *testing.T, dump, file string) {
	t.Helper()
	script, err := os.ReadFile(dump) //nolint:gosec // a file of the repository
	require.NoError(t, err)
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), string(script))
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.NoError(t, os.Chmod(file, 0o600))
}

// checkFingerprints holds the golden file against the upgraded ledger, and the
// Message-IDs in it against what is composed today for the calendars on record.
func checkFingerprints(t *testing.T, file string, want map[[2]string][2]string, mails map[[2]string]string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), `
		SELECT i.invite_id, i.address, r.fingerprint, r.message_id, r.resend, c.bytes
		FROM invite AS i JOIN revision AS r ON r.id = i.latest LEFT JOIN calendar AS c ON c.revision = r.id`)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	found, composed := 0, 0
	for ; rows.Next(); found++ {
		var id, recipient, fingerprint, messageID string
		var resend int
		var text []byte
		require.NoError(t, rows.Scan(&id, &recipient, &fingerprint, &messageID, &resend, &text))
		key := [2]string{id, recipient}
		assert.Equal(t, want[key], [2]string{fingerprint, messageID}, id)
		if sent, given := mails[key]; given {
			assert.Equal(t, messageID, sent, id)
		}
		if messageID == "" || text == nil {
			continue
		}
		composed++
		c, err := calendar.Read(string(text))
		require.NoError(t, err)
		from, err := address.Parse(messageID)
		require.NoError(t, err)
		assert.Equal(t, messageID, message.ID(id, recipient, c.Method, c.Sum(), resend, from.Domain()), id)
	}
	require.NoError(t, rows.Err())
	assert.Equal(t, len(want), found)
	assert.Greater(t, composed, 20)
}
