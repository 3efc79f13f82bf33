package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Agreement plays random histories to the ledger and to a model of the promises, and checks that
// both give the same answers and end with the same record. The number of histories is rapid's
// (-rapid.checks). Answers are among them if the ledger is an rsvp.RefreshStore.
func Agreement(t *testing.T, factory Factory) {
	rapid.Check(t, func(r *rapid.T) {
		clock := newClock()
		h := &history{T: r, test: t, clock: clock, model: newModel(clock.Now), storage: factory(t, clock.Now)}
		for range owners {
			h.runs = append(h.runs, h.open())
		}
		defer h.close()
		actions := map[string]func(*rapid.T){
			"claim":    func(r *rapid.T) { h.agree(r, h.claim(h.run(r), someKeys(r)...)) },
			"create":   func(r *rapid.T) { h.agree(r, h.create(r, someKeys(r)...)) },
			"submit":   func(r *rapid.T) { h.agree(r, h.submit(r, aKey(r))) },
			"finish":   func(r *rapid.T) { h.agree(r, h.finish(r, aKey(r))) },
			"release":  func(r *rapid.T) { h.agree(r, h.release(r)) },
			"together": h.together,
			"die":      h.die,
			"restart":  h.restart,
			"pass":     h.pass,
			"":         h.same,
		}
		if _, ok := h.runs[0].(answerLedger); ok {
			actions["hear"], actions["deliver"], actions["ask"] = h.hear, h.deliver, h.ask
		}
		r.Repeat(actions)
	})
}

// owners is how many runs there are at a time.
const owners = 2

var keys = []ledger.Key{anna, ben, carl}

// errRefused is any error but those of package ledger.
var errRefused = errors.New("refused")

type history struct {
	*rapid.T
	test    *testing.T
	clock   *clock
	model   *model
	storage Storage
	runs    []Ledger
	claims  []ledger.Claim
	step    int
}

func (h *history) open() Ledger {
	l, err := h.storage.Open()
	require.NoError(h, err)
	return l
}

func (h *history) close() {
	for _, l := range h.runs {
		require.NoError(h, l.Shutdown(context.Background()))
	}
}

func (h *history) run(r *rapid.T) Ledger { return rapid.SampledFrom(h.runs).Draw(r, "run") }

// anyClaim is one of those that were ever made, dead ones included.
func (h *history) anyClaim(r *rapid.T) ledger.Claim {
	if len(h.claims) == 0 {
		r.Skip("nothing was claimed yet")
	}
	return rapid.SampledFrom(h.claims[max(0, len(h.claims)-4):]).Draw(r, "claim")
}

// deed is something to be done to the ledger. Want does it to the model, says how it must end,
// and comes first; after is called once both are done, if it is not nil.
type deed struct {
	want, do func() error
	after    func()
}

func (h *history) agree(r *rapid.T, d deed) {
	require.Equal(r, end(d.want()), end(d.do()))
	if d.after != nil {
		d.after()
	}
}

func end(err error) error {
	for _, known := range []error{nil, ledger.ErrInProgress, ledger.ErrClaimLost} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errRefused
}

// together does something to each key at the same time. What is done to other keys makes no
// difference, so that the model may do one after the other.
func (h *history) together(r *rapid.T) {
	var deeds []deed
	for _, key := range keys {
		kind := rapid.SampledFrom([]string{"claim", "create", "submit", "finish"}).Draw(r, "kind")
		switch {
		case kind == "claim" || len(h.claims) == 0:
			deeds = append(deeds, h.claim(h.run(r), key))
		case kind == "create":
			deeds = append(deeds, h.create(r, key))
		case kind == "submit":
			deeds = append(deeds, h.submit(r, key))
		case kind == "finish":
			deeds = append(deeds, h.finish(r, key))
		}
	}
	want, got := make([]error, len(deeds)), make([]error, len(deeds))
	var group sync.WaitGroup
	for n, d := range deeds {
		want[n] = end(d.want())
		group.Go(func() { got[n] = end(d.do()) })
	}
	group.Wait()
	require.Equal(r, want, got)
	for _, d := range deeds {
		if d.after != nil {
			d.after()
		}
	}
}

func someKeys(r *rapid.T) []ledger.Key {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 1, len(keys), rapid.ID).Draw(r, "keys")
}

func aKey(r *rapid.T) ledger.Key { return rapid.SampledFrom(keys).Draw(r, "key") }

// claim remembers the claim if it was made.
func (h *history) claim(on Ledger, wanted ...ledger.Key) deed {
	var c ledger.Claim
	return deed{
		want: func() error { return h.model.claimed(wanted) },
		do: func() (err error) {
			c, err = on.Claim(h.test.Context(), wanted...)
			return err
		},
		after: func() {
			if c.Token != 0 {
				h.model.hold(on, c)
				h.claims = append(h.claims, c)
			}
		},
	}
}

func (h *history) create(r *rapid.T, wanted ...ledger.Key) deed {
	c, on := h.anyClaim(r), h.run(r)
	h.step++
	var all []ledger.NewRevision
	for _, key := range wanted {
		m := changed(key, fmt.Sprintf("v1:%d", h.step))
		m.Revision.State = rapid.SampledFrom([]ledger.State{
			ledger.Created, ledger.Created, ledger.Failed, ledger.Deferred,
			ledger.Expired, ledger.Settled, ledger.Sent, ledger.Unknown,
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
	return deed{
		want: func() error { return h.model.create(c, all...) },
		do:   func() error { return on.Create(h.test.Context(), c, all...) },
	}
}

func (h *history) submit(r *rapid.T, key ledger.Key) deed {
	c, on := h.anyClaim(r), h.run(r)
	h.step++
	s := submission(fmt.Sprintf("%d@example.com", h.step))
	s.Resend = h.step
	s.Kind = rapid.SampledFrom([]ledger.Kind{"", "update"}).Draw(r, "kind")
	return deed{
		want: func() error { return h.model.submitting(c, key, s) },
		do:   func() error { return on.Submitting(h.test.Context(), c, key, s) },
	}
}

func (h *history) finish(r *rapid.T, key ledger.Key) deed {
	c, on := h.anyClaim(r), h.run(r)
	o := ledger.Result{
		State: rapid.SampledFrom([]ledger.State{
			ledger.Sent, ledger.Deferred, ledger.Failed, ledger.Unknown, ledger.Expired, ledger.Settled, ledger.Created,
		}).Draw(r, "state"),
		Permanent: rapid.Bool().Draw(r, "permanent"), Unusable: rapid.Bool().Draw(r, "unusable"),
		NotLeft: rapid.Bool().Draw(r, "not left"),
		Stage:   "submit", Code: "code", Detail: rapid.String().Draw(r, "detail"), Reply: "250 ok",
	}
	return deed{
		want: func() error { return h.model.finish(c, key, o) },
		do:   func() error { return on.Finish(h.test.Context(), c, key, o) },
	}
}

func (h *history) release(r *rapid.T) deed {
	c, on := h.anyClaim(r), h.run(r)
	return deed{
		want: func() error { return h.model.release(c) },
		do:   func() error { return on.Release(h.test.Context(), c) },
	}
}

// answers is one of the ledgers, as one that keeps RSVPs.
func (h *history) answers(r *rapid.T) answerLedger { return h.run(r).(answerLedger) }

func (h *history) hear(r *rapid.T) {
	l, key := h.answers(r), aKey(r)
	heard := ledger.RSVP{
		Status:    rapid.SampledFrom([]string{"pending", "accepted", "declined"}).Draw(r, "status"),
		Comment:   rapid.SampledFrom([]string{"", "", "aé\x00 '😀"}).Draw(r, "comment"),
		Source:    rapid.SampledFrom([]string{ledger.SourceCallback, ledger.SourceStatus}).Draw(r, "source"),
		Delivered: rapid.Bool().Draw(r, "delivered"),
	}
	if rapid.Bool().Draw(r, "forwarded") {
		heard.By, heard.Reply = "zoe@example.com", &ledger.Reply{Status: "accepted"}
	}
	done, err := l.RecordRSVP(h.test.Context(), key, heard)
	require.NoError(r, err)
	require.Equal(r, h.model.record(key, heard), done)
	all, err := l.RSVPs(h.test.Context(), key)
	require.NoError(r, err)
	require.Equal(r, h.model.rsvps(key), all)
}

func (h *history) deliver(r *rapid.T) {
	l, key := h.answers(r), aKey(r)
	number, answered := int64(rapid.IntRange(1, 5).Draw(r, "number")), rapid.Bool().Draw(r, "answered")
	require.NoError(r, l.RSVPDelivered(h.test.Context(), key, number, answered))
	h.model.delivered(key, number, answered)
}

// ask asks about one of those that are to be asked about.
func (h *history) ask(r *rapid.T) {
	l, key, now := h.answers(r), aKey(r), h.clock.Now()
	same := func(want func(*invite) bool, entries iter.Seq2[ledger.Entry, error]) {
		var got []ledger.Key
		for e, err := range entries {
			require.NoError(r, err)
			got = append(got, e.Key)
		}
		// The order of those that were asked about at the same time is the ledger's own.
		require.ElementsMatch(r, h.model.some(want), got)
	}
	same((*invite).undelivered, l.Undelivered(h.test.Context()))
	same(func(i *invite) bool { return i.upcoming(now) }, l.Upcoming(h.test.Context(), now, now))
	require.NoError(r, l.Asked(h.test.Context(), key, now))
	if i := h.model.invites[key]; i != nil {
		i.askedAt = now
	}
}

func (h *history) die(r *rapid.T) {
	h.replace(r, h.storage.Kill, func(_ ledger.Key, held *holder) bool {
		held.dead = true
		return false
	})
}

func (h *history) restart(r *rapid.T) {
	shutdown := func(l Ledger) error { return l.Shutdown(context.Background()) }
	h.replace(r, shutdown, func(ledger.Key, *holder) bool { return true })
}

// replace ends a run in some way and begins another one. Released tells for each claim that it
// holds whether it gives that back.
func (h *history) replace(r *rapid.T, end func(Ledger) error, released func(ledger.Key, *holder) bool) {
	n := rapid.IntRange(0, owners-1).Draw(r, "run")
	old := h.runs[n]
	require.NoError(r, end(old))
	maps.DeleteFunc(h.model.holders, func(key ledger.Key, held *holder) bool {
		return held.owner == old && released(key, held)
	})
	h.runs[n] = h.open()
}

// pass lets so much time pass that the claims of the dead have run out. How long they last until
// then is a ledger's own choice.
func (h *history) pass(r *rapid.T) {
	require.NoError(r, pass(h.clock, h.storage, Expiry))
	for _, held := range h.model.holders {
		held.ended = held.dead
	}
}

// same compares the whole record.
func (h *history) same(r *rapid.T) {
	l, ctx := h.runs[0], h.test.Context()
	loaded, err := l.Load(ctx, keys...)
	require.NoError(r, err)
	require.Equal(r, h.model.entries(true, keys...), loaded)
	found, err := l.Lookup(ctx, keys...)
	require.NoError(r, err)
	require.Equal(r, h.model.entries(false, keys...), found)
	members, err := l.Members(ctx, anna.InviteID)
	require.NoError(r, err)
	require.Equal(r, h.model.members(anna.InviteID, keys...), append([]ledger.Entry{}, members...))
}
