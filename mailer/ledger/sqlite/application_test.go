package sqlite

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/ledgertest"
)

// A program that opens a ledger works on the invites of an application that is on record
// as theirs, or is refused: never on another one's, and never on none because a
// key was replaced.
func TestWhoseInvites(t *testing.T) {
	t.Parallel()
	type open struct {
		name    string
		keys    Secrets
		same    bool
		dryRun  bool
		of      string // whose invites those are: by the id of one
		refused string
	}
	// Each begins with a ledger of before, which has an invite "first". The first
	// time that those of "second" are meant one of that name is made.
	for name, opens := range map[string][]open{
		"one key": {{keys: Secrets{"k1"}, of: "first"}, {keys: Secrets{"k1"}, of: "first"}},
		"a key that is unknown": {{keys: Secrets{"k1"}, of: "first"}, {keys: Secrets{"k2"},
			refused: "another application, or a rotated key"},
			{keys: Secrets{"k2"}, dryRun: true, refused: "another application, or a rotated key"}},
		"a key that was replaced": {{keys: Secrets{"k1"}, of: "first"}, {keys: Secrets{"k2"}, same: true, of: "first"},
			{keys: Secrets{"k2"}, of: "first"}, {keys: Secrets{"k1"}, of: "first"}},
		"both keys, while one is replaced": {{keys: Secrets{"k1"}, of: "first"}, {keys: Secrets{"k2", "k1"},
			of: "first"}, {keys: Secrets{"k2"}, of: "first"}},
		"by name, whatever the key": {{name: "hr", keys: Secrets{"k1"}, of: "first"}, {name: "hr",
			keys: Secrets{"k2"}, of: "first"}, {keys: Secrets{"k2"}, of: "first"}},
		"without a key":          {{keys: Secrets{"k1"}, of: "first"}, {of: "first"}},
		"without a key, by name": {{name: "hr", of: "first"}, {name: "hr", of: "first"}, {of: "first"}},
		"a name for what had none": {{keys: Secrets{"k1"}, of: "first"}, {name: "hr", keys: Secrets{"k1"},
			of: "first"}, {name: "hr", of: "first"}},
		"two by name": {{name: "hr", keys: Secrets{"k1"}, of: "first"}, {name: "sales", keys: Secrets{"k2"},
			of: "second"}, {name: "hr", of: "first"},
			{keys: Secrets{"k1"}, of: "first"}, {keys: Secrets{"k2"}, of: "second"}, {name: "sales",
				keys: Secrets{"k3"}, of: "second"},
			{refused: `several applications (application "hr", application "sales")`},
			{keys: Secrets{"k4"}, refused: "rotated key"},
			{keys: Secrets{"k4"}, same: true, refused: "not clear which one"},
			{name: "sales", keys: Secrets{"k1"}, refused: `on record for application "hr"`},
			{keys: Secrets{"k1", "k2"}, refused: "two of its applications"}},
		"a second one beside what has no name": {{keys: Secrets{"k1"}, of: "first"}, {name: "sales",
			keys: Secrets{"k2"}, refused: "has no name yet"},
			{name: "hr", keys: Secrets{"k1"}, of: "first"}, {name: "sales", keys: Secrets{"k2"}, of: "second"}},
		"a name and a new key at once": {{keys: Secrets{"k1"}, of: "first"}, {name: "hr", same: true,
			refused: "does not know this key"},
			{name: "hr", keys: Secrets{"k2"}, same: true, of: "first"}, {name: "hr", of: "first"}},
		"a misspelt name": {{name: "hr", keys: Secrets{"k1"}, of: "first"},
			{name: "rh", keys: Secrets{"k1"}, refused: `on record for application "hr"`},
			{name: "rh", keys: Secrets{"k1"}, same: true, of: "first"}, {name: "rh", of: "first"}},
		"the same as nothing that is known": {{name: "hr", keys: Secrets{"k1"}, of: "first"}, {name: "rh",
			keys: Secrets{"k2"}, same: true, refused: "does not know this key"}},
		"a dry run records nothing": {{name: "hr", keys: Secrets{"k1"}, dryRun: true, of: "first"}, {name: "sales",
			keys: Secrets{"k2"}, of: "first"},
			{name: "hr", keys: Secrets{"k1"}, dryRun: true, of: "none"}, {name: "hr", keys: Secrets{"k1"},
				of: "second"},
			{name: "hr", keys: Secrets{"k3"}, dryRun: true, of: "second"}, {keys: Secrets{"k3"},
				refused: "rotated key"}},
		"names that look alike": {{name: " hr", refused: "choose a plain name"}, {name: "h\nr",
			refused: "choose a plain name"},
			{name: strings.Repeat("x", 201), refused: "choose a plain name"}, {keys: Secrets{""},
				refused: "leave it out"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "ledger.db")
			l := openFile(t, path)
			live(t, l, ledger.Key{InviteID: "first", Address: "anna@example.com"})
			require.NoError(t, l.Shutdown(t.Context()))
			for i, o := range opens {
				l, err := Open(t.Context(), Options{Path: path, Application: o.name,
					APIKeys: o.keys, SameApplication: o.same, DryRun: o.dryRun})
				if o.refused != "" {
					require.ErrorIs(t, err, ledger.ErrUnusable, "%d", i)
					require.ErrorContains(t, err, o.refused, "%d", i)
					require.NotContains(t, err.Error(), "k1")
					continue
				}
				require.NoError(t, err, "%d", i)
				has := listed(t, l, Filter{})
				if o.of == "second" && len(has) == 0 {
					key := ledger.Key{InviteID: "second", Address: "anna@example.com"}
					live(t, l, key)
					has = append(has, key)
				}
				if o.of == "none" {
					assert.Empty(t, has, "%d", i)
					assert.False(t, l.Application().Known)
				} else if assert.Len(t, has, 1, "%d", i) {
					assert.Equal(t, o.of, has[0].InviteID, "%d", i)
					assert.True(t, l.Application().Known)
				}
				if !o.dryRun {
					assert.Equal(t, len(o.keys) > 0, l.Application().KeyKnown)
					assert.GreaterOrEqual(t, l.Application().Keys, len(o.keys))
				}
				require.NoError(t, l.Shutdown(t.Context()))
			}
		})
	}
}

// Many that come to a new ledger at once agree on whose it is.
func TestManyBringTheirKeyAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	ids := make(chan int64, 8)
	var group sync.WaitGroup
	for i := range cap(ids) {
		group.Go(func() {
			l, err := Open(t.Context(), Options{Path: path, Application: []string{"hr", "sales"}[i%2],
				APIKeys: Secrets{fmt.Sprint("key", i%2)}})
			if !assert.NoError(t, err) {
				ids <- 0
				return
			}
			ids <- l.application
			assert.NoError(t, l.Shutdown(t.Context()))
		})
	}
	group.Wait()
	counts := map[int64]int{}
	for range cap(ids) {
		counts[<-ids]++
	}
	assert.Equal(t, map[int64]int{1: 4, 2: 4}, counts)
}

// Neither the file nor what is printed of the options shows a key.
func TestKeysAreNotShown(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	o := Options{Path: path, APIKeys: Secrets{"the-client-secret"}}
	l := openWith(t, o)
	live(t, l, anna)
	assert.True(t, onDisk(t, path, anna.Address), "so that what is absent means something")
	assert.False(t, onDisk(t, path, "the-client-secret"))
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("opening", "options", o, "keys", o.APIKeys)
	encoded, err := json.Marshal(o.APIKeys)
	require.NoError(t, err)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", o, &o, o), fmt.Sprintf("%s %q %x %d", o.APIKeys,
		o.APIKeys, o.APIKeys, o.APIKeys), logged.String(), string(encoded)} {
		assert.NotContains(t, text, "the-client")
		assert.NotContains(t, text, "7468652d") // in hexadecimal
		assert.Contains(t, text, "[1 secrets]")
	}
}

// What is promised of a ledger holds beside another application in the same file,
// which knows the same invites, has them in hand and forgot some.
func TestConformanceBesideAnotherApplication(t *testing.T) {
	t.Parallel()
	ledgertest.Conformance(t, func(t testing.TB, now func() time.Time) ledgertest.Storage {
		s := newStorage(t, now).(*storage)
		s.unsynced = true
		first := s.options
		first.Application = "first"
		other := openWith(t, first)
		runSQL(t, other, "PRAGMA synchronous = OFF")
		other.unsynced = true
		var keys []ledger.Key
		for _, id := range []string{"board-meeting", "board-meeting-2", "general-assembly"} {
			for _, name := range []string{"anna", "ben", "carl", "member-00", "member-01", "member-02", "member-03"} {
				keys = append(keys, ledger.Key{InviteID: id, Address: name + "@example.com"})
			}
		}
		claim, err := other.Claim(t.Context(), keys...)
		require.NoError(t, err)
		for _, key := range keys {
			require.NoError(t, other.Create(t.Context(), claim, benchMade(key)))
		}
		s.alive = append(s.alive, other)
		s.options.Application = "second"
		return s
	})
}

// Two applications work on the same ids for the same people, side by side, and
// neither sees or changes what is the other's.
func TestApplicationsAreApart(t *testing.T) {
	t.Parallel()
	clock := newClock()
	path := filepath.Join(t.TempDir(), "ledger.db")
	hr := openWith(t, Options{Path: path, Application: "hr", Now: clock.Now})
	sales := openWith(t, Options{Path: path, Application: "sales", Now: clock.Now})
	ctx := t.Context()

	theirs, err := hr.Claim(ctx, anna, ben)
	require.NoError(t, err)
	require.NoError(t, hr.Create(ctx, theirs, benchMade(anna), benchMade(ben)))
	require.NoError(t, hr.Submitting(ctx, theirs, anna, ledger.Submission{MessageID: "hr@example.com",
		Kind: "invitation", Message: ledger.Message{Bytes: benchMessage}}))
	require.NoError(t, hr.Finish(ctx, theirs, anna, ledger.Result{State: ledger.Sent}))
	before, err := hr.Load(ctx, anna, ben)
	require.NoError(t, err)

	// What one has in hand is free for the other, and its claims do not count there.
	found, err := sales.Lookup(ctx, anna)
	require.NoError(t, err)
	assert.Equal(t, []ledger.Entry{{Key: anna}}, found)
	require.ErrorIs(t, sales.Create(ctx, theirs, benchMade(ben)), ledger.ErrClaimLost)
	require.ErrorIs(t, sales.Submitting(ctx, theirs, anna, ledger.Submission{}), ledger.ErrClaimLost)
	require.NoError(t, sales.Release(ctx, theirs))
	ours, err := sales.Claim(ctx, anna)
	require.NoError(t, err)
	made := benchMade(anna)
	made.Revision.Fingerprint, made.Grouped = "v1:sales", true
	require.NoError(t, sales.Create(ctx, ours, made))
	require.NoError(t, sales.Submitting(ctx, ours, anna, ledger.Submission{MessageID: "sales@example.com",
		Kind: "invitation", Message: ledger.Message{Bytes: benchMessage}}))
	require.NoError(t, sales.Finish(ctx, ours, anna, ledger.Result{State: ledger.Sent}))
	after, err := hr.Load(ctx, anna, ben)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	_, err = hr.Claim(ctx, anna)
	require.ErrorIs(t, err, ledger.ErrInProgress)

	// Lists.
	members, err := sales.Members(ctx, anna.InviteID)
	require.NoError(t, err)
	require.Len(t, members, 1)
	assert.Equal(t, "v1:sales", members[0].Latest.Fingerprint)
	assert.Equal(t, []ledger.Key{anna, ben}, listed(t, hr, Filter{}))
	assert.Equal(t, []ledger.Key{anna}, listed(t, sales, Filter{}))
	count := func(l *Ledger) (listed, counted int) {
		entries, err := l.Agenda(ctx, ledger.Agenda{Limit: 9})
		require.NoError(t, err)
		all, err := l.Tally(ctx, ledger.Agenda{})
		require.NoError(t, err)
		return len(entries), all.All()
	}
	inList, inTally := count(hr)
	assert.Equal(t, []int{2, 2}, []int{inList, inTally})
	inList, inTally = count(sales)
	assert.Equal(t, []int{1, 1}, []int{inList, inTally})
	undelivered := func(l *Ledger) (n int) {
		for _, err := range l.Undelivered(ctx) {
			require.NoError(t, err)
			n++
		}
		return n
	}
	upcoming := func(l *Ledger) (keys []ledger.Key) {
		for e, err := range l.Upcoming(ctx, clock.Now(), clock.Now()) {
			require.NoError(t, err)
			keys = append(keys, e.Key)
		}
		return keys
	}
	assert.Equal(t, []ledger.Key{anna}, upcoming(hr))

	// Answers.
	assert.True(t, hear(t, hr, called("accepted")))
	assert.Equal(t, 1, undelivered(hr))
	assert.Zero(t, undelivered(sales))
	assert.Nil(t, latest(t, sales))
	done, err := sales.RecordRSVP(ctx, ben, called("accepted"))
	require.NoError(t, err)
	assert.False(t, done.Known, "it is the other's")
	assert.True(t, hear(t, sales, called("declined")))
	require.NoError(t, sales.RSVPDelivered(ctx, anna, 1, true))
	assert.False(t, latest(t, hr).Delivered)
	for l, status := range map[*Ledger]string{hr: "accepted", sales: "declined"} {
		history, err := l.RSVPs(ctx, anna)
		require.NoError(t, err)
		require.Len(t, history, 1)
		assert.Equal(t, status, history[0].Status)
	}
	require.NoError(t, sales.Asked(ctx, anna, clock.Now()))
	require.NoError(t, sales.Asked(ctx, ledger.Key{InviteID: anna.InviteID}, clock.Now()))
	assert.Equal(t, []ledger.Key{anna}, upcoming(hr))
	assert.Empty(t, upcoming(sales))

	// Forgetting.
	require.NoError(t, hr.Release(ctx, theirs))
	require.NoError(t, sales.Release(ctx, ours))
	carl := ledger.Key{InviteID: "board-meeting", Address: "carl@example.com"}
	_, err = hr.Claim(ctx, anna, carl)
	require.NoError(t, err)
	clock.Move(365 * 24 * time.Hour)
	n, err := sales.Forget(ctx, clock.Now())
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	require.NoError(t, hr.beat(ctx), "it was late, and none took its claims")
	keep(t, sales, carl, clock.Now().Add(-time.Hour))
	n, err = sales.Forget(ctx, clock.Now())
	require.NoError(t, err)
	assert.Equal(t, 1, n, "what the other has in hand is of no matter")
	n, err = hr.Forget(ctx, clock.Now())
	require.NoError(t, err)
	assert.Equal(t, 1, n, "not what is in hand")

	forgotten := func(l *Ledger) (keys []ledger.Key) {
		found, err := l.Lookup(ctx, anna, ben, carl)
		require.NoError(t, err)
		for _, e := range found {
			if e.Forgotten {
				keys = append(keys, e.Key)
			}
		}
		return keys
	}
	assert.Equal(t, []ledger.Key{anna, carl}, forgotten(sales))
	assert.Equal(t, []ledger.Key{ben}, forgotten(hr))
	live(t, hr, ben)
	live(t, sales, carl)
	live(t, sales, ben)
	assert.Equal(t, []ledger.Key{anna}, forgotten(sales))
	keep(t, hr, ledger.Key{InviteID: "other", Address: anna.Address}, clock.Now().Add(-time.Hour))
	_, err = hr.Forget(ctx, clock.Now())
	require.NoError(t, err)
	live(t, sales, ledger.Key{InviteID: "other", Address: anna.Address})
	assert.EqualValues(t, 2+1, number(t, hr, "SELECT count(*) FROM tombstone"), "each takes back its own")
}
