package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	modernc "modernc.org/sqlite"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// A calendar and a message of the usual size.
var (
	benchCalendar = bytes.Repeat([]byte("ATTENDEE;CN=Anna:mailto:anna@example.com\r\n"), 50)
	benchMessage  = bytes.Repeat([]byte("QkVHSU46VkNBTEVOREFSDQpQUk9ESUQ6LS8v\r\n"), 150)
)

func benchKey(i int) ledger.Key {
	return ledger.Key{InviteID: fmt.Sprintf("board-meeting-2027-04-29-%06d", i),
		Address: fmt.Sprintf("person.%d@example.com", i)}
}

func benchMade(key ledger.Key) ledger.NewRevision {
	return ledger.NewRevision{
		Key: key, Recipient: key.Address, EndsAt: time.Date(2027, 4, 29, 10, 0, 0, 0, time.UTC),
		Revision: ledger.Revision{
			Kind:           "invitation",
			Method:         "request",
			Fingerprint:    "v1:0d5a1f5d2c6e4b7f9a8c1e2d3f4a5b6c",
			Calendar:       benchCalendar,
			UID:            "a1b2c3d4e5f6@example.com",
			DTStamp:        time.Date(2027, 4, 1, 9, 0, 0, 0, time.UTC),
			OrganizerName:  "Olga Organizer",
			OrganizerEmail: "olga@example.com",
			State:          ledger.Created,
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
		MessageID: "kz7q3m5v2x4t6b8n@example.com",
		FromName:  "Olga Organizer",
		FromEmail: "olga@example.com",
		Kind:      "invitation",
		Message:   ledger.Message{From: "olga@example.com", To: key.Address, Bytes: benchMessage},
	}))
	require.NoError(b, l.Finish(ctx, claim, key, ledger.Result{State: ledger.Sent,
		Reply: "250 2.0.0 Ok: queued as 4XyZ12345"}))
	require.NoError(b, l.Release(ctx, claim))
}

func benchLedger(b *testing.B, o Options) *Ledger {
	l, err := Open(b.Context(), o)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, l.Shutdown(context.Background())) })
	return l
}

// BenchmarkLookup is what an unchanged invite costs: the size of the ledger must
// hardly matter.
func BenchmarkLookup(b *testing.B) {
	for _, invites := range []int{1_000, 100_000} {
		l := benchLedger(b, Options{Path: filepath.Join(b.TempDir(), "ledger.db")})
		runSQL(b, l, "PRAGMA synchronous = OFF")
		l.unsynced = true
		fill(b, l, invites)
		for _, ask := range []struct {
			name  string
			known bool
			first int
		}{{"known", true, 0}, {"new", false, invites}} {
			b.Run(fmt.Sprintf("%s/%d", ask.name, invites), func(b *testing.B) {
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					// A prime, so that neighbours are not asked for one after the other.
					found, err := l.Lookup(b.Context(), benchKey(ask.first+i*7919%invites))
					if err != nil || found[0].Known != ask.known {
						b.Fatal(found, err)
					}
					i++
				}
			})
		}
	}
}

// fill writes that many lives with many hands, as they share transactions.
func fill(b *testing.B, l *Ledger, invites int) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= invites {
					return
				}
				live(b, l, benchKey(i))
			}
		})
	}
	group.Wait()
}

// BenchmarkLife is one invite from claim to release, alone and with others.
func BenchmarkLife(b *testing.B) {
	for _, mode := range []struct {
		name    string
		at      int // the same time
		options Options
	}{
		{"file/1", 1, Options{Path: filepath.Join(b.TempDir(), "ledger.db")}},
		{"file/10", 10, Options{Path: filepath.Join(b.TempDir(), "ledger.db")}},
		{"file/64", 64, Options{Path: filepath.Join(b.TempDir(), "ledger.db")}},
		{"memory/1", 1, Options{Memory: true}},
	} {
		b.Run(mode.name, func(b *testing.B) {
			l := benchLedger(b, mode.options)
			live(b, l, benchKey(0))
			var commits atomic.Int64
			require.NoError(b, l.writer.conn.Raw(func(driver any) error {
				driver.(interface{ RegisterCommitHook(modernc.CommitHookFn) }).RegisterCommitHook(func() int32 {
					commits.Add(1)
					return 0
				})
				return nil
			}))
			before := written(b)
			b.ReportAllocs()
			b.ResetTimer()
			var next atomic.Int64
			var group sync.WaitGroup
			for range mode.at {
				group.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						live(b, l, benchKey(int(i)))
					}
				})
			}
			group.Wait()
			b.StopTimer()
			n := float64(b.N)
			b.ReportMetric(n/b.Elapsed().Seconds(), "lives/s")
			b.ReportMetric(float64(commits.Load())/n, "commits/life")
			if before > 0 {
				b.ReportMetric(float64(written(b)-before)/n, "written-B/life")
			}
		})
	}
}

// written is how many bytes this process has handed to the system, where that
// tells (proc_pid_io(5)), else 0.
func written(b *testing.B) (bytes int64) {
	accounts, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(accounts), "wchar: ")
	line, _, _ := strings.Cut(rest, "\n")
	bytes, err = strconv.ParseInt(line, 10, 64)
	require.NoError(b, err)
	return bytes
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
				if err := l.Shutdown(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
