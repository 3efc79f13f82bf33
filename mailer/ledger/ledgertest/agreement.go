package ledgertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Agreement plays random histories to the ledger and to a [Memory] and checks
// that both give the same answers and end with the same record. The number of
// histories is rapid's (-rapid.checks). Answers are among them if the ledger is an
// [AnswerLedger].
func Agreement(t *testing.T, factory Factory) {
	rapid.Check(t, func(r *rapid.T) {
		clock := NewClock()
		h := &history{T: r, test: t, clock: clock}
		h.storages = [2]Storage{NewMemory(clock.Now), factory(t, clock)}
		for range owners {
			h.runs = append(h.runs, h.open())
		}
		defer h.close()
		actions := map[string]func(*rapid.T){
			"claim":    h.claim,
			"create":   h.create,
			"submit":   h.submit,
			"finish":   h.finish,
			"release":  h.release,
			"together": h.together,
			"die":      h.die,
			"restart":  h.restart,
			"pass":     h.pass,
			"":         h.same,
		}
		if _, ok := h.runs[0].ledgers[1].(AnswerLedger); ok {
			actions["hear"], actions["deliver"], actions["ask"] = h.hear, h.deliver, h.ask
		}
		r.Repeat(actions)
	})
}

const owners = 2

// run is one owner, on the model and on the ledger under test.
type run struct {
	ledgers [2]Ledger
}

// taken is a claim, of the model and of the ledger under test: their tokens need
// not be the same.
type taken [2]ledger.Claim

type history struct {
	*rapid.T
	test     *testing.T
	clock    *Clock
	storages [2]Storage
	runs     []*run
	claims   []taken
	step     int
}

func (h *history) open() *run {
	var r run
	for i, s := range h.storages {
		var err error
		r.ledgers[i], err = s.Open()
		require.NoError(h, err)
	}
	return &r
}

func (h *history) close() {
	for _, r := range h.runs {
		for _, l := range r.ledgers {
			require.NoError(h, l.Shutdown(context.Background()))
		}
	}
}

var keys = []ledger.Key{anna, ben, carl}

func (h *history) run(r *rapid.T) *run {
	return h.runs[rapid.IntRange(0, owners-1).Draw(r, "run")]
}

// anyClaim is one of those that were ever made, dead ones included.
func (h *history) anyClaim(r *rapid.T) taken {
	if len(h.claims) == 0 {
		r.Skip("nothing was claimed yet")
	}
	return h.claims[rapid.IntRange(max(0, len(h.claims)-4), len(h.claims)-1).Draw(r, "claim")]
}

// agree does the same on both and compares how it ended.
func (h *history) agree(r *rapid.T, on *run, do deed) {
	var ends [2]string
	for i, l := range on.ledgers {
		ends[i] = end(do(i, l))
	}
	require.Equal(r, ends[0], ends[1])
}

func end(err error) string {
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, ledger.ErrInProgress):
		return "in progress"
	case errors.Is(err, ledger.ErrClaimLost):
		return "claim lost"
	default:
		return "refused"
	}
}

// deed is something to be done to either ledger.
type deed func(i int, l Ledger) error

func (h *history) claim(r *rapid.T) {
	do, won := h.claiming(someKeys(r)...)
	h.agree(r, h.run(r), do)
	won()
}

func (h *history) create(r *rapid.T) { h.agree(r, h.run(r), h.creating(r, someKeys(r)...)) }

func (h *history) submit(r *rapid.T) { h.agree(r, h.run(r), h.submitting(r, aKey(r))) }

func (h *history) finish(r *rapid.T) { h.agree(r, h.run(r), h.finishing(r, aKey(r))) }

// together does something to each key at the same time. What is done to other
// keys makes no difference, so that the model may do one after the other.
func (h *history) together(r *rapid.T) {
	var deeds []deed
	var ons []*run
	var after []func()
	for _, key := range keys {
		ons = append(ons, h.run(r))
		kind := rapid.SampledFrom([]string{"claim", "create", "submit", "finish"}).Draw(r, "kind")
		if len(h.claims) == 0 {
			kind = "claim"
		}
		switch kind {
		case "claim":
			do, won := h.claiming(key)
			deeds, after = append(deeds, do), append(after, won)
		case "create":
			deeds = append(deeds, h.creating(r, key))
		case "submit":
			deeds = append(deeds, h.submitting(r, key))
		case "finish":
			deeds = append(deeds, h.finishing(r, key))
		}
	}
	want, got := make([]string, len(deeds)), make([]string, len(deeds))
	var group sync.WaitGroup
	for n, do := range deeds {
		want[n] = end(do(0, ons[n].ledgers[0]))
		group.Go(func() { got[n] = end(do(1, ons[n].ledgers[1])) })
	}
	group.Wait()
	require.Equal(r, want, got)
	for _, won := range after {
		won()
	}
}

func someKeys(r *rapid.T) []ledger.Key {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 1, len(keys), rapid.ID).Draw(r, "keys")
}

func aKey(r *rapid.T) ledger.Key { return rapid.SampledFrom(keys).Draw(r, "key") }

// claiming also returns what remembers the claim if it was made.
func (h *history) claiming(wanted ...ledger.Key) (do deed, won func()) {
	var both taken
	do = func(i int, l Ledger) (err error) {
		both[i], err = l.Claim(h.test.Context(), wanted...)
		return err
	}
	return do, func() {
		if both[0].Token != 0 {
			h.claims = append(h.claims, both)
		}
	}
}

func (h *history) creating(r *rapid.T, wanted ...ledger.Key) deed {
	c := h.anyClaim(r)
	h.step++
	var all []ledger.NewRevision
	for _, key := range wanted {
		m := changed(key, fmt.Sprintf("v1:%d", h.step))
		m.Revision.State = rapid.SampledFrom([]ledger.State{
			ledger.Created, ledger.Created, ledger.Failed, ledger.Deferred, ledger.Expired, ledger.Settled, ledger.Sent, ledger.Unknown,
		}).Draw(r, "state")
		if m.Revision.State.MayHaveLeft() {
			m.Revision.MessageID = fmt.Sprintf("%d@example.com", h.step)
		}
		m.AsksAnew = rapid.Bool().Draw(r, "asks anew")
		m.Revision.Answer = rapid.SampledFrom([]string{"", "pending", "accepted"}).Draw(r, "answer")
		m.Revision.Method = rapid.SampledFrom([]ledger.Method{"request", "request", "cancel"}).Draw(r, "method")
		if rapid.Bool().Draw(r, "bare") {
			m.Revision.Calendar, m.Revision.UID, m.EndsAt = nil, "", time.Time{}
		}
		all = append(all, m)
	}
	return func(i int, l Ledger) error { return l.Create(h.test.Context(), c[i], all...) }
}

func (h *history) submitting(r *rapid.T, key ledger.Key) deed {
	c := h.anyClaim(r)
	h.step++
	s := submission(fmt.Sprintf("%d@example.com", h.step))
	s.Resend = h.step
	s.Kind = rapid.SampledFrom([]ledger.Kind{"", "update"}).Draw(r, "kind")
	return func(i int, l Ledger) error { return l.Submitting(h.test.Context(), c[i], key, s) }
}

func (h *history) finishing(r *rapid.T, key ledger.Key) deed {
	c := h.anyClaim(r)
	o := ledger.Result{
		State: rapid.SampledFrom([]ledger.State{
			ledger.Sent, ledger.Deferred, ledger.Failed, ledger.Unknown, ledger.Expired, ledger.Settled, ledger.Created,
		}).Draw(r, "state"),
		Permanent: rapid.Bool().Draw(r, "permanent"), Unusable: rapid.Bool().Draw(r, "unusable"),
		NotLeft: rapid.Bool().Draw(r, "not left"),
		Stage:   "submit", Code: "code", Detail: rapid.String().Draw(r, "detail"), Reply: "250 ok",
	}
	return func(i int, l Ledger) error { return l.Finish(h.test.Context(), c[i], key, o) }
}

// answers does on both what only a ledger does that keeps RSVPs.
func (h *history) answers(r *rapid.T, do func(AnswerLedger) (any, error)) {
	var got [2]any
	for i, l := range h.run(r).ledgers {
		var err error
		got[i], err = do(l.(AnswerLedger))
		require.NoError(r, err)
	}
	require.Equal(r, got[0], got[1])
}

func (h *history) hear(r *rapid.T) {
	key := aKey(r)
	heard := ledger.RSVP{
		Status:    rapid.SampledFrom([]string{"pending", "accepted", "declined"}).Draw(r, "status"),
		Comment:   rapid.SampledFrom([]string{"", "", "aé\x00 '😀"}).Draw(r, "comment"),
		Source:    rapid.SampledFrom([]string{ledger.SourceCallback, ledger.SourceStatus}).Draw(r, "source"),
		Delivered: rapid.Bool().Draw(r, "delivered"),
	}
	if rapid.Bool().Draw(r, "forwarded") {
		heard.By, heard.Reply = "zoe@example.com", &ledger.Reply{Status: "accepted"}
	}
	h.answers(r, func(l AnswerLedger) (any, error) { return l.RecordRSVP(h.test.Context(), key, heard) })
	h.answers(r, func(l AnswerLedger) (any, error) { return l.RSVPs(h.test.Context(), key) })
}

func (h *history) deliver(r *rapid.T) {
	key, number, answered := aKey(r), int64(rapid.IntRange(1, 5).Draw(r, "number")), rapid.Bool().Draw(r, "answered")
	h.answers(r, func(l AnswerLedger) (any, error) {
		return nil, l.RSVPDelivered(h.test.Context(), key, number, answered)
	})
}

// ask asks about one of those that are to be asked about.
func (h *history) ask(r *rapid.T) {
	key := aKey(r)
	h.answers(r, func(l AnswerLedger) (any, error) {
		var keys [2][]ledger.Key
		for i, entries := range []iter.Seq2[ledger.Entry, error]{l.Undelivered(h.test.Context()), l.Upcoming(h.test.Context(), h.clock.Now(), h.clock.Now())} {
			for e, err := range entries {
				if err != nil {
					return nil, err
				}
				keys[i] = append(keys[i], e.Key)
			}
		}
		// The order of what was asked at the same time is the ledger's own.
		slices.SortFunc(keys[0], compareKeys)
		slices.SortFunc(keys[1], compareKeys)
		return keys, l.Asked(h.test.Context(), key, h.clock.Now())
	})
}

func compareKeys(a, b ledger.Key) int {
	return cmp.Or(cmp.Compare(a.InviteID, b.InviteID), cmp.Compare(a.Address, b.Address))
}

func (h *history) release(r *rapid.T) {
	c := h.anyClaim(r)
	h.agree(r, h.run(r), func(i int, l Ledger) error { return l.Release(h.test.Context(), c[i]) })
}

func (h *history) die(r *rapid.T) {
	h.replace(r, func(i int, l Ledger) error { return h.storages[i].Kill(l) })
}

func (h *history) restart(r *rapid.T) {
	h.replace(r, func(_ int, l Ledger) error { return l.Shutdown(context.Background()) })
}

func (h *history) replace(r *rapid.T, end func(i int, l Ledger) error) {
	n := rapid.IntRange(0, owners-1).Draw(r, "run")
	for i, l := range h.runs[n].ledgers {
		require.NoError(r, end(i, l))
	}
	h.runs[n] = h.open()
}

// pass lets so much time pass that the claims of the dead have run out. How long
// they last until then is a ledger's own choice.
func (h *history) pass(r *rapid.T) {
	for left := Expiry; left > 0; left -= Alive {
		h.clock.Move(Alive)
		for _, s := range h.storages {
			require.NoError(r, s.Beat())
		}
	}
}

// same compares the whole record.
func (h *history) same(r *rapid.T) {
	on := h.runs[0]
	var records [2][]ledger.Entry
	for i, l := range on.ledgers {
		loaded, err := l.Load(h.test.Context(), keys...)
		require.NoError(r, err)
		looked, err := l.Lookup(h.test.Context(), keys...)
		require.NoError(r, err)
		members, err := l.Members(h.test.Context(), anna.InviteID)
		require.NoError(r, err)
		records[i] = append(append(loaded, looked...), members...)
	}
	require.Equal(r, records[0], records[1])
}
