package sqlite

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// A calendar and a message of the usual size.
var (
	benchCalendar = bytes.Repeat([]byte("ATTENDEE;CN=Anna:mailto:anna@example.com\r\n"), 50)
	benchMessage  = bytes.Repeat([]byte("QkVHSU46VkNBTEVOREFSDQpQUk9ESUQ6LS8v\r\n"), 150)
)

func benchKey(i int) ledger.Key {
	return ledger.Key{InviteID: fmt.Sprintf("board-meeting-2027-04-29-%06d", i), Address: fmt.Sprintf("somebody.%d@example.com", i)}
}

func benchMade(key ledger.Key) ledger.Made {
	return ledger.Made{
		Key: key, Recipient: key.Address, EndsAt: time.Date(2027, 4, 29, 10, 0, 0, 0, time.UTC),
		Revision: ledger.Revision{
			Kind: "invitation", Method: "request", Fingerprint: "v1:0d5a1f5d2c6e4b7f9a8c1e2d3f4a5b6c",
			Calendar: benchCalendar, UID: "a1b2c3d4e5f6@example.com", DTStamp: time.Date(2027, 4, 1, 9, 0, 0, 0, time.UTC),
			OrganizerName: "Olga Organizer", OrganizerEmail: "olga@example.com", State: ledger.Created,
		},
	}
}

// live takes an invite from its claim to its release.
func live(b testing.TB, l *Ledger, key ledger.Key) {
	ctx := b.Context()
	claim, err := l.Claim(ctx, key)
	require.NoError(b, err)
	require.NoError(b, l.Create(ctx, claim, benchMade(key)))
	require.NoError(b, l.Submitting(ctx, claim, key, ledger.Submission{
		MessageID: "kz7q3m5v2x4t6b8n@example.com", FromName: "Olga Organizer", FromEmail: "olga@example.com", Kind: "invitation",
		Message: ledger.Message{From: "olga@example.com", To: key.Address, Bytes: benchMessage},
	}))
	require.NoError(b, l.Finish(ctx, claim, key, ledger.Outcome{State: ledger.Sent, Reply: "250 2.0.0 Ok: queued as 4XyZ12345"}))
	require.NoError(b, l.Release(ctx, claim))
}

func benchLedger(b *testing.B, o Options) *Ledger {
	l, err := Open(b.Context(), o)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, l.Close()) })
	return l
}

// BenchmarkLookup is what an unchanged invite costs in a file of 10,000.
func BenchmarkLookup(b *testing.B) {
	const invites = 10_000
	l := benchLedger(b, Options{Path: filepath.Join(b.TempDir(), "ledger.db")})
	require.NoError(b, l.writer.with(b.Context(), func(c *conn) error { return c.script(b.Context(), "PRAGMA synchronous = OFF") }))
	for i := range invites {
		live(b, l, benchKey(i))
	}
	b.Run("known", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			found, err := l.Lookup(b.Context(), benchKey(i%invites))
			if err != nil || !found[0].Known {
				b.Fatal(found, err)
			}
			i++
		}
	})
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			found, err := l.Lookup(b.Context(), benchKey(invites+i))
			if err != nil || found[0].Known {
				b.Fatal(found, err)
			}
			i++
		}
	})
}

// BenchmarkLife is one invite from claim to release: five durable commits.
func BenchmarkLife(b *testing.B) {
	for _, mode := range []struct {
		name    string
		options Options
	}{
		{"file", Options{Path: filepath.Join(b.TempDir(), "ledger.db")}},
		{"memory", Options{Memory: true}},
	} {
		b.Run(mode.name, func(b *testing.B) {
			l := benchLedger(b, mode.options)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				live(b, l, benchKey(i))
				i++
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "ledger.db")
	for _, mode := range []struct {
		name    string
		options func() Options
	}{
		{"memory", func() Options { return Options{Memory: true} }},
		{"existing", func() Options { return Options{Path: path} }},
		{"new", func() Options { return Options{Path: filepath.Join(b.TempDir(), "ledger.db")} }},
	} {
		b.Run(mode.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l, err := Open(b.Context(), mode.options())
				if err != nil {
					b.Fatal(err)
				}
				if err := l.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
