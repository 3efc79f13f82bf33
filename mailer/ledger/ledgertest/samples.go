package ledgertest

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

var (
	anna = ledger.Key{InviteID: "board-meeting", Address: "anna@example.com"}
	ben  = ledger.Key{InviteID: "board-meeting", Address: "ben@example.com"}
	carl = ledger.Key{InviteID: "board-meeting-2", Address: "carl@example.com"}
)

// made is an invite with all that can be said of one, and a number that the ledger must not take.
func made(key ledger.Key) ledger.NewRevision {
	return ledger.NewRevision{
		Key: key, Recipient: "Wire." + key.Address, Grouped: true,
		EndsAt: time.Date(2027, 4, 29, 10, 0, 0, 0, time.UTC),
		Revision: ledger.Revision{
			Number: 99, Kind: "invitation", Method: "request", Fingerprint: "v1:" + key.Address,
			Calendar: []byte("BEGIN:VCALENDAR\r\nATTENDEE:mailto:" + key.Address + "\r\nEND:VCALENDAR\r\n"),
			UID:      "uid-of-" + key.InviteID, Sequence: 3,
			DTStamp:       time.Date(2027, 4, 1, 8, 59, 0, 0, time.UTC),
			OrganizerName: "Olga \"O\" Organizer", OrganizerEmail: "olga@example.com", OrganizerDefault: true,
			State: ledger.Created, FromName: "Rooms", FromEmail: "rooms@example.com",
		},
	}
}

func submission(messageID string) ledger.Submission {
	return ledger.Submission{
		MessageID: messageID, FromName: "Olga Organizer", FromEmail: "olga@example.com",
		Kind: "invitation",
		Message: ledger.Message{
			From: "bounces@example.com", To: "Wire.anna@example.com", SMTPUTF8: true,
			Bytes: []byte("Message-ID: <" + messageID + ">\r\n\r\n\x00\xff\r\n"),
		},
	}
}

// sent is the outcome of a mail that the server took.
var sent = ledger.Result{State: ledger.Sent, Reply: "250 2.0.0 Ok: queued"}

func (t *trial) claim(l Ledger, keys ...ledger.Key) ledger.Claim {
	t.Helper()
	c, err := l.Claim(t.Context(), keys...)
	require.NoError(t, err)
	return c
}

func (t *trial) create(l Ledger, c ledger.Claim, made ...ledger.NewRevision) {
	t.Helper()
	require.NoError(t, l.Create(t.Context(), c, made...))
}

func (t *trial) submit(l Ledger, c ledger.Claim, key ledger.Key, messageID string) {
	t.Helper()
	require.NoError(t, l.Submitting(t.Context(), c, key, submission(messageID)))
}

func (t *trial) finish(l Ledger, c ledger.Claim, key ledger.Key, o ledger.Result) {
	t.Helper()
	require.NoError(t, l.Finish(t.Context(), c, key, o))
}

func (t *trial) release(l Ledger, c ledger.Claim) {
	t.Helper()
	require.NoError(t, l.Release(t.Context(), c))
}

// mail takes an invite from its claim to its release.
func (t *trial) mail(l Ledger, m ledger.NewRevision, messageID string, o ledger.Result) {
	t.Helper()
	c := t.claim(l, m.Key)
	t.create(l, c, m)
	t.submit(l, c, m.Key, messageID)
	t.finish(l, c, m.Key, o)
	t.release(l, c)
}

func (t *trial) lookup(l Ledger, key ledger.Key) ledger.Entry {
	t.Helper()
	found, err := l.Lookup(t.Context(), key)
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

func (t *trial) load(l Ledger, key ledger.Key) ledger.Entry {
	t.Helper()
	found, err := l.Load(t.Context(), key)
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

// latest is the latest revision, with its contents.
func (t *trial) latest(l Ledger, key ledger.Key) *ledger.Revision {
	t.Helper()
	e := t.load(l, key)
	require.NotNil(t, e.Latest, "the invite has no revision")
	return e.Latest
}
