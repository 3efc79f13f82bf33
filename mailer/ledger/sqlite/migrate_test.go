package sqlite

import (
	_ "embed"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

//go:embed testdata/version-1.sql
var version1 string

// A file that the first release wrote is read by every later one.
func TestVersion1IsRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	old, err := open(t.Context(), Options{Path: path}, []string{schema1}, "rw")
	require.NoError(t, err)
	sql(t, old, "DELETE FROM meta")
	sql(t, old, version1)
	require.NoError(t, old.Close())

	l := openWith(t, Options{Path: path, APIURL: "https://api.example.com", Now: func() time.Time {
		return time.Date(2027, 4, 3, 0, 0, 0, 0, time.UTC) // when the claim in the file has run out
	}})
	assert.EqualValues(t, len(migrations()), number(t, l, "PRAGMA user_version"))
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
			Number: 2, Kind: "update", Method: "request", Fingerprint: "v1:2",
			Calendar: []byte("two"), UID: "uid-1", Sequence: 1, DTStamp: at("2027-04-02T09:30:00Z"),
			OrganizerName: "Olga Organizer", OrganizerEmail: "olga@example.com",
			State: ledger.Failed, Permanent: true, Unusable: true, Stage: "submit", Code: "refused", Detail: "no such user",
			MessageID: "second@example.com", FromEmail: "rooms@example.com", Reply: "550 no", Attempts: 2,
			At: at("2027-04-02T09:30:03Z"), CreatedAt: at("2027-04-02T09:30:01Z"), SubmittedAt: at("2027-04-02T09:30:03Z"),
		},
		LastSent: &ledger.Revision{
			Number: 1, Kind: "invitation", Method: "request", Fingerprint: "v1:1",
			Calendar: []byte("one"), UID: "uid-1", DTStamp: at("2027-04-01T09:30:00Z"),
			OrganizerName: "Olga Organizer", OrganizerEmail: "olga@example.com", OrganizerDefault: true,
			State: ledger.Unknown, Stage: "submit", Code: "unknown", Detail: "no answer",
			MessageID: "first@example.com", FromName: "Olga Organizer", FromEmail: "olga@example.com", Attempts: 1,
			Message: &ledger.Message{From: "bounces@example.com", To: "Anna@example.com", SMTPUTF8: true, Bytes: []byte("mail")},
			At:      at("2027-04-01T09:30:03Z"), CreatedAt: at("2027-04-01T09:30:01Z"), SubmittedAt: at("2027-04-01T09:30:02Z"),
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

func TestMigrationGoesForward(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openFile(t, path)
	live(t, l, anna)
	want, err := l.Load(t.Context(), anna)
	require.NoError(t, err)
	require.NoError(t, l.Close())

	newer := append(migrations(),
		"CREATE TABLE later (invite INTEGER PRIMARY KEY REFERENCES invite (id) ON DELETE CASCADE, status TEXT NOT NULL) STRICT",
		"INSERT INTO later SELECT id, 'pending' FROM invite; CREATE INDEX by_status ON later (status)",
	)
	// The last step fails in its middle: the file stays what it was before it.
	broken := append(newer[:len(newer):len(newer)], "DELETE FROM later; SELECT no_such_function()")
	_, err = open(t.Context(), Options{Path: path}, broken, "rw")
	require.Error(t, err)
	require.NotErrorIs(t, err, ledger.ErrUnusable)

	migrated, err := open(t.Context(), Options{Path: path}, newer, "rw")
	require.NoError(t, err)
	assert.EqualValues(t, len(newer), number(t, migrated, "PRAGMA user_version"))
	assert.EqualValues(t, 1, number(t, migrated, "SELECT count(*) FROM later WHERE status = 'pending'"))
	found, err := migrated.Load(t.Context(), anna)
	require.NoError(t, err)
	assert.Equal(t, want, found)
	require.NoError(t, migrated.Close())

	_, err = Open(t.Context(), Options{Path: path})
	require.ErrorIs(t, err, ledger.ErrUnusable)
	assert.ErrorContains(t, err, "newer program")
}

// What was recorded before the file kept which revision an answer is one to is an
// answer to what was mailed until then, and to nothing that asks anew.
func TestAnswersOfVersion2(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	old, err := open(t.Context(), Options{Path: path}, []string{schema1, schema2}, "rw")
	require.NoError(t, err)
	sql(t, old, "DELETE FROM meta")
	sql(t, old, version1)
	sql(t, old, `INSERT INTO rsvp (invite, number, status, comment, proposal_tzid, replier, reply_status, reply_comment, reply_tzid, source, at, delivered, awaited)
		SELECT id, 1, 'accepted', '', '', '', '', '', '', 'callback', 1, 1, 0 FROM invite;
		UPDATE invite SET rsvp = (SELECT id FROM rsvp WHERE invite = invite.id)`)
	require.NoError(t, old.Close())

	l := openWith(t, Options{Path: path, Now: func() time.Time { return time.Date(2027, 4, 9, 0, 0, 0, 0, time.UTC) }})
	entry := func() ledger.Entry {
		found, err := l.Lookup(t.Context(), anna)
		require.NoError(t, err)
		return found[0]
	}
	request := func(anew bool) {
		claim, err := l.Claim(t.Context(), anna)
		require.NoError(t, err)
		require.NoError(t, l.Create(t.Context(), claim, ledger.Made{Key: anna, Recipient: anna.Address, AsksAnew: anew, Revision: ledger.Revision{
			Method: "request", Kind: "update", UID: "uid-1", State: ledger.Sent, MessageID: "3@example.com", Answer: "pending"}}))
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
