package sqlite

import (
	"database/sql"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/migrate"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

//go:embed testdata/version-1.sql
var version1 string

// A file that the first release wrote is read by every later one.
func TestVersion1IsRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	restore(t, path, known(t)[0]+version1+fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 1",
		applicationID))

	l := openWith(t, Options{Path: path, APIURL: "https://api.example.com", Now: func() time.Time {
		return time.Date(2027, 4, 3, 0, 0, 0, 0, time.UTC) // when the claim in the file has run out
	}})
	assert.EqualValues(t, len(known(t)), number(t, l, "PRAGMA user_version"))
	found, err := l.Load(t.Context(), ledger.Key{InviteID: "board-meeting", Address: "anna@example.com"})
	require.NoError(t, err)
	at := func(text string) time.Time {
		at, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		return at
	}
	assert.Equal(t, ledger.Entry{
		Key: anna, Known: true, Grouped: true, Recipient: "Anna@example.com",
		UID: "uid-1", FirstMessageID: "first@example.com", EndsAt: at("2027-04-29T10:30:00Z"),
		Latest: &ledger.Revision{
			Number:         2,
			Kind:           "update",
			Method:         "request",
			Fingerprint:    "v1:2",
			Calendar:       []byte("two"),
			UID:            "uid-1",
			Sequence:       1,
			DTStamp:        at("2027-04-02T09:30:00Z"),
			OrganizerName:  "Olga Organizer",
			OrganizerEmail: "olga@example.com",
			State:          ledger.Failed,
			Permanent:      true,
			Unusable:       true,
			Stage:          "submit",
			Code:           "refused",
			Detail:         "no such user",
			MessageID:      "second@example.com",
			FromEmail:      "rooms@example.com",
			Reply:          "550 no",
			Attempts:       2,
			At:             at("2027-04-02T09:30:03Z"),
			CreatedAt:      at("2027-04-02T09:30:01Z"),
			SubmittedAt:    at("2027-04-02T09:30:03Z"),
		},
		LastSent: &ledger.Revision{
			Number:           1,
			Kind:             "invitation",
			Method:           "request",
			Fingerprint:      "v1:1",
			Calendar:         []byte("one"),
			UID:              "uid-1",
			DTStamp:          at("2027-04-01T09:30:00Z"),
			OrganizerName:    "Olga Organizer",
			OrganizerEmail:   "olga@example.com",
			OrganizerDefault: true,
			State:            ledger.Unknown,
			Stage:            "submit",
			Code:             "unknown",
			Detail:           "no answer",
			MessageID:        "first@example.com",
			FromName:         "Olga Organizer",
			FromEmail:        "olga@example.com",
			Attempts:         1,
			Copies:           1,
			FirstSubmittedAt: at("2027-04-01T09:30:02Z"),
			Message: &ledger.Message{From: "bounces@example.com", To: "Anna@example.com", SMTPUTF8: true,
				Bytes: []byte("mail")},
			At:          at("2027-04-01T09:30:03Z"),
			CreatedAt:   at("2027-04-01T09:30:01Z"),
			SubmittedAt: at("2027-04-01T09:30:02Z"),
		},
	}, found[0])
	claim, err := l.Claim(t.Context(), anna)
	require.NoError(t, err)
	assert.EqualValues(t, 42, claim.Token)

	// An invite of the first release is answered like any other.
	assert.True(t, hear(t, l, called("accepted")))
	assert.Equal(t, "accepted", latest(t, l).Status)
	for e, err := range l.Upcoming(t.Context(), at("2027-04-03T00:00:00Z"), at("2027-04-03T00:00:00Z")) {
		require.NoError(t, err)
		assert.Equal(t, anna, e.Key)
	}
}

// known are the changes of this program, and room for more.
func known(t testing.TB) migrate.Changes {
	t.Helper()
	changes, err := migrations()
	require.NoError(t, err)
	return slices.Clip(changes)
}

// restore makes a file of SQL.
func restore(t testing.TB, path, text string) {
	t.Helper()
	c, done := connect(t, path, "rwc")
	defer done()
	require.NoError(t, c.script(text))
}

// What programs of before left is read as it was meant: not a row is lost or
// changed, and all of it belongs to the application that comes first.
func TestLedgersOfBefore(t *testing.T) {
	t.Parallel()
	for version := 1; version <= 3; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			t.Parallel()
			dump, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("ledger-%d.sql", version)))
			require.NoError(t, err)
			path := filepath.Join(t.TempDir(), "ledger.db")
			restore(t, path, string(dump))
			before := rows(t, path, nil)
			require.Len(t, before["invite"], 1+7)
			require.Len(t, before["message"], 1+1)
			require.Len(t, before["claim"], 1+1)
			require.Len(t, before["tombstone"], 1+1)
			require.Len(t, before["rsvp"], []int{0, 1 + 3, 1 + 4}[version-1])

			o := Options{Path: path, APIURL: "http://127.0.0.1:18090", APIKeys: Secrets{"sandbox"}}
			require.NoError(t, openWith(t, o).Shutdown(t.Context()))
			assert.Equal(t, before, rows(t, path, before))
			_, err = Open(t.Context(), Options{Path: path, APIKeys: Secrets{"another"}})
			require.ErrorContains(t, err, "another application, or a rotated key")

			l := openWith(t, o)
			assert.EqualValues(t, len(known(t)), number(t, l, "PRAGMA user_version"))
			assert.EqualValues(t, 1, number(t, l, "PRAGMA foreign_keys"), "they hold again")
			assert.Zero(t, number(t, l, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"))
			assert.Equal(t, []ledger.Key{
				{InviteID: "called-off", Address: "ann@example.org"},
				{InviteID: "cut-1", Address: "ann@example.org"},
				{
					InviteID: "interview-1",
					Address:  "ann@example.org",
				},
				{InviteID: "interview-1", Address: "ben@example.org"},
				{InviteID: "meeting", Address: "dan@example.org"},
				{InviteID: "meeting", Address: "eve@example.org"},
				{InviteID: "moved", Address: "ann@example.org"},
			}, listed(t, l, Filter{}))
			found, err := l.Load(t.Context(), ledger.Key{InviteID: "moved", Address: "ann@example.org"},
				ledger.Key{InviteID: "cut-1", Address: "ann@example.org"}, ledger.Key{InviteID: "past",
					Address: "zoe@example.org"})
			require.NoError(t, err)
			assert.EqualValues(t, 2, found[0].Latest.Number)
			assert.Equal(t, ledger.Sent, found[0].Latest.State)
			assert.NotEmpty(t, found[0].Latest.Calendar)
			assert.Equal(t, ledger.Submitting, found[1].Latest.State)
			assert.NotEmpty(t, found[1].Latest.Message.Bytes)
			assert.True(t, found[2].Forgotten)
			live(t, l, ledger.Key{InviteID: "past", Address: "zoe@example.org"})
			assert.Zero(t, number(t, l, "SELECT count(*) FROM tombstone"))
		})
	}
}

// A program of before that has the file open when a new one migrates it goes on:
// what it writes is of the one application there was.
func TestProgramOfBeforeGoesOnAfterAMigration(t *testing.T) {
	t.Parallel()
	dump, err := os.ReadFile(filepath.Join("testdata", "ledger-2.sql"))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "ledger.db")
	restore(t, path, string(dump))
	before, done := connect(t, path, "rw")
	defer done()
	claim := `INSERT OR REPLACE INTO claim (invite_id, address, token, owner, expires)
		VALUES (?, ?, 9, 'before', 4081161600000000)`
	require.NoError(t, before.exec(claim, "talk", "ben@example.org"))

	l := openWith(t, Options{Path: path, Application: "hr"})
	require.NoError(t, before.exec(claim, "talk", "ann@example.org"))
	require.NoError(
		t,
		before.exec(
			`INSERT INTO invite (invite_id, address, recipient, grouped, uid, first_message_id, latest)
			VALUES ('talk', 'ann@example.org', '', 0, '', '', 1)`,
		),
	)
	require.NoError(t, before.exec(`INSERT OR IGNORE INTO tombstone (hash) VALUES (x'00')`))
	all, err := l.InHand(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, ledger.Key{InviteID: "talk", Address: "ann@example.org"}, all[0].Key)
	assert.True(t, all[0].Known)
	assert.EqualValues(t, 2, number(t, l, "SELECT count(*) FROM tombstone WHERE application = 1"))
}

// rows are those of every table that has some, as text, after the names of their
// columns, which are those of like if there is one.
func rows(t *testing.T, path string, like map[string][]string) map[string][]string {
	t.Helper()
	c, done := connect(t, path, "ro")
	defer done()
	texts := func(query string) (all []string) {
		require.NoError(t, c.query(query, func(rows *sql.Rows) error {
			var text string
			err := rows.Scan(&text)
			all = append(all, text)
			return err
		}))
		return all
	}
	content := make(map[string][]string)
	for _, table := range texts(`SELECT name FROM sqlite_schema
		WHERE type = 'table' AND name NOT LIKE 'application%' AND name <> 'compatibility'`) {
		columns := strings.Join(texts("SELECT name FROM pragma_table_info('"+table+"') ORDER BY name"), ", ")
		if like != nil && len(like[table]) > 0 {
			columns = like[table][0]
		}
		quoted := "quote(" + strings.ReplaceAll(columns, ", ", ") || ' ' || quote(") + ")"
		if rows := texts("SELECT " + quoted + " FROM " + table + " ORDER BY 1"); len(rows) > 0 {
			content[table] = append([]string{columns}, rows...)
		}
	}
	return content
}

// The step that puts a new table into the place of an old one leaves alone what
// refers to it, and says so if something refers to nothing.
func TestMigrationChecksWhatRefersToNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openFile(t, path)
	live(t, l, anna)
	require.NoError(t, l.Shutdown(t.Context()))
	_, err := open(t.Context(), Options{Path: path}, append(known(t), "DELETE FROM invite"), "rw")
	require.ErrorContains(t, err, "a row of table revision refers to one that is not there")
	assert.Equal(t, []ledger.Key{anna}, listed(t, openFile(t, path), Filter{}), "it stays what it was")
}

func TestMigrationGoesForward(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openFile(t, path)
	live(t, l, anna)
	want, err := l.Load(t.Context(), anna)
	require.NoError(t, err)
	require.NoError(t, l.Shutdown(t.Context()))

	newer := append(known(t),
		`CREATE TABLE later (
			invite INTEGER PRIMARY KEY REFERENCES invite (id) ON DELETE CASCADE, status TEXT NOT NULL
		) STRICT`,
		"INSERT INTO later SELECT id, 'pending' FROM invite; CREATE INDEX by_status ON later (status)",
		"UPDATE compatibility SET oldest_reader = 7",
	)
	// The last change fails in its middle: the file stays what it was before the first.
	broken := append(newer[:len(newer):len(newer)], "DELETE FROM later; SELECT no_such_function()")
	_, err = open(t.Context(), Options{Path: path}, broken, "rw")
	require.Error(t, err)
	require.NotErrorIs(t, err, ledger.ErrUnusable)
	l = openFile(t, path)
	assert.EqualValues(t, len(known(t)), number(t, l, "PRAGMA user_version"))
	require.NoError(t, l.Shutdown(t.Context()))

	migrated, err := open(t.Context(), Options{Path: path}, newer, "rw")
	require.NoError(t, err)
	assert.EqualValues(t, len(newer), number(t, migrated, "PRAGMA user_version"))
	assert.EqualValues(t, 1, number(t, migrated, "SELECT count(*) FROM later WHERE status = 'pending'"))
	found, err := migrated.Load(t.Context(), anna)
	require.NoError(t, err)
	assert.Equal(t, want, found)
	require.NoError(t, migrated.Shutdown(t.Context()))

	_, err = Open(t.Context(), Options{Path: path})
	require.ErrorIs(t, err, ledger.ErrUnusable)
	assert.ErrorContains(t, err, "newer program")
}

// What was recorded before the file kept which revision an answer is one to is an
// answer to what was mailed until then, and to nothing that asks anew.
func TestAnswersOfVersion2(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	restore(t, path, known(t)[0]+known(t)[1]+version1+`
		INSERT INTO rsvp (invite, number, status, comment, proposal_tzid,
			replier, reply_status, reply_comment, reply_tzid,
			source, at, delivered, awaited)
		SELECT id, 1, 'accepted', '', '', '', '', '', '', 'callback', 1, 1, 0 FROM invite;
		UPDATE invite SET rsvp = (SELECT id FROM rsvp WHERE invite = invite.id);`+
		fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 2", applicationID))

	l := openWith(t, Options{Path: path, Now: func() time.Time { return time.Date(2027, 4, 9, 0, 0, 0, 0, time.UTC) }})
	entry := func() ledger.Entry {
		found, err := l.Lookup(t.Context(), anna)
		require.NoError(t, err)
		return found[0]
	}
	request := func(anew bool) {
		claim, err := l.Claim(t.Context(), anna)
		require.NoError(t, err)
		require.NoError(t, l.Create(t.Context(), claim, ledger.NewRevision{Key: anna, Recipient: anna.Address,
			AsksAnew: anew, Revision: ledger.Revision{Method: "request", Kind: "update", UID: "uid-1",
				State: ledger.Sent, MessageID: "3@example.com", Answer: "pending"}}))
		require.NoError(t, l.Release(t.Context(), claim))
	}
	e := entry()
	assert.False(t, e.Outdated())
	assert.False(t, hear(t, l, called("accepted")))
	request(false)
	e = entry()
	assert.False(t, e.Outdated())
	assert.Equal(t, "accepted", e.RSVP.Status)
	request(true)
	assert.Equal(t, ledger.SourceUpdate, entry().RSVP.Source)
	assert.True(t, hear(t, l, asked("accepted", time.Date(2027, 4, 9, 0, 0, 1, 0, time.UTC))))
}

// The stage render was called words: a row that says so is read as it is called now.
func TestFormerStageIsRead(t *testing.T) {
	t.Parallel()
	l := openWith(t, Options{Path: filepath.Join(t.TempDir(), "ledger.db"), APIURL: "https://api.example.com"})
	claim, err := l.Claim(t.Context(), anna)
	require.NoError(t, err)
	require.NoError(t, l.Create(t.Context(), claim, ledger.NewRevision{Key: anna, Recipient: anna.Address,
		Revision: ledger.Revision{Method: "request", State: ledger.Failed, Stage: "words", Code: "template"}}))
	found, err := l.Lookup(t.Context(), anna)
	require.NoError(t, err)
	assert.Equal(t, ledger.Stage("render"), found[0].Latest.Stage)
}
