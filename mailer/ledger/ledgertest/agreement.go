package ledgertest

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Agreement plays random histories of two runs, that claim, write, die and come back, to the
// ledger and to a small model of the promises, and checks after each step that both know the same
// of every invite. The number of histories is rapid's (-rapid.checks).
func Agreement(t *testing.T, factory Factory) {
	rapid.Check(t, func(r *rapid.T) {
		clock := newClock()
		h := &history{trial: &trial{T: t, clock: clock, storage: factory(t, clock.Now)}}
		h.invites = map[ledger.Key]*invite{anna: {}, ben: {}, carl: {}}
		h.runs = []Ledger{h.open(), h.open()}
		r.Repeat(map[string]func(*rapid.T){
			"claim": h.claim, "create": h.create, "submit": h.submit, "finish": h.finish,
			"release": h.release, "end": h.end, "pass": h.pass, "": h.same,
		})
		for _, l := range h.runs {
			require.NoError(r, l.Shutdown(t.Context()))
		}
	})
}

// history is a ledger's and what the model knows of it.
type history struct {
	*trial
	runs    []Ledger
	claims  []ledger.Claim
	invites map[ledger.Key]*invite
	steps   int
}

// invite is what the model knows of one.
type invite struct {
	token         int64 // of the claim that holds it; 0: none
	owner         Ledger
	dead, expired bool // the owner is, and the claim is free to be taken over
	known
}

// known is what is compared of an entry.
type known struct {
	First        string // Entry.FirstMessageID
	Latest, Sent *revision
}

type revision struct {
	Number                  int64
	State                   ledger.State
	UID, MessageID          string
	Attempts, Copies        int
	HasCalendar, HasMessage bool
}

func (h *history) run(r *rapid.T) Ledger { return h.runs[rapid.IntRange(0, 1).Draw(r, "run")] }

// anyClaim is one of the last that were made, lost ones included.
func (h *history) anyClaim(r *rapid.T) ledger.Claim {
	if len(h.claims) == 0 {
		r.Skip("nothing was claimed yet")
	}
	return rapid.SampledFrom(h.claims[max(0, len(h.claims)-4):]).Draw(r, "claim")
}

var someKeys = rapid.SliceOfNDistinct(rapid.SampledFrom([]ledger.Key{anna, ben, carl}), 1, 3, rapid.ID)

func (h *history) claim(r *rapid.T) {
	l, keys := h.run(r), someKeys.Draw(r, "keys")
	c, err := l.Claim(h.Context(), keys...)
	if slices.ContainsFunc(keys, func(key ledger.Key) bool {
		return h.invites[key].token != 0 && !h.invites[key].expired
	}) {
		require.ErrorIs(r, err, ledger.ErrInProgress)
		return
	}
	require.NoError(r, err)
	h.claims = append(h.claims, c)
	for _, key := range keys {
		i := h.invites[key]
		i.token, i.owner, i.dead, i.expired = c.Token, l, false, false
	}
}

// wrote checks how a write in the name of a claim ended, and tells whether it was done.
func (h *history) wrote(r *rapid.T, err error, c ledger.Claim, keys ...ledger.Key) bool {
	for _, key := range keys {
		if h.invites[key].token != c.Token {
			require.ErrorIs(r, err, ledger.ErrClaimLost)
			return false
		}
	}
	require.NoError(r, err)
	return true
}

func (h *history) create(r *rapid.T) {
	c, keys := h.anyClaim(r), someKeys.Draw(r, "keys")
	var all []ledger.NewRevision
	for _, key := range keys {
		m := made(key)
		m.Revision.State = rapid.SampledFrom([]ledger.State{ledger.Created, ledger.Failed}).Draw(r, "state")
		if rapid.Bool().Draw(r, "without a calendar") {
			m.Revision.Calendar, m.Revision.UID = nil, ""
		}
		all = append(all, m)
	}
	if !h.wrote(r, h.run(r).Create(h.Context(), c, all...), c, keys...) {
		return
	}
	for _, m := range all {
		i, added := h.invites[m.Key], facts(&m.Revision)
		added.Number = 1
		if last := i.Latest; last != nil {
			i.settle()
			added.Number += last.Number
			barren := last.UID == "" && last.MessageID == ""
			if barren && slices.Contains([]ledger.State{ledger.Failed, ledger.Deferred, ledger.Expired}, last.State) {
				added.Number--
			}
		}
		i.Latest = added
	}
}

func (h *history) submit(r *rapid.T) {
	c, key := h.anyClaim(r), someKeys.Draw(r, "key")[0]
	h.steps++
	s := submission(fmt.Sprintf("%d@example.com", h.steps))
	err := h.run(r).Submitting(h.Context(), c, key, s)
	i := h.invites[key]
	if i.Latest == nil {
		require.Error(r, err)
		return
	}
	if !h.wrote(r, err, c, key) {
		return
	}
	i.settle()
	if i.Latest.State != ledger.Submitting && i.Latest.State != ledger.Unknown {
		i.Latest.Copies = 0
	}
	i.Latest.State, i.Latest.MessageID, i.Latest.HasMessage = ledger.Submitting, s.MessageID, true
	i.Latest.Copies++
	i.Latest.Attempts++
}

func (h *history) finish(r *rapid.T) {
	c, key := h.anyClaim(r), someKeys.Draw(r, "key")[0]
	o := ledger.Result{NotLeft: rapid.Bool().Draw(r, "not left")}
	o.State = rapid.SampledFrom([]ledger.State{
		ledger.Sent, ledger.Deferred, ledger.Unknown, ledger.Failed, ledger.Expired, ledger.Settled,
	}).Draw(r, "state")
	err := h.run(r).Finish(h.Context(), c, key, o)
	i := h.invites[key]
	if i.Latest == nil {
		require.Error(r, err)
		return
	}
	if !h.wrote(r, err, c, key) {
		return
	}
	if o.NotLeft {
		i.Latest.Copies = max(0, i.Latest.Copies-1)
	}
	i.Latest.HasMessage = i.Latest.HasMessage && o.State == ledger.Unknown
	i.Latest.State = o.State
	i.settle()
}

// settle: what may have left did, whatever comes after it.
func (i *invite) settle() {
	if i.Latest.State.MayHaveLeft() && i.Latest.MessageID != "" {
		i.Sent, i.First = i.Latest, cmp.Or(i.First, i.Latest.MessageID)
	}
}

func (h *history) release(r *rapid.T) {
	c := h.anyClaim(r)
	require.NoError(r, h.run(r).Release(h.Context(), c))
	for _, key := range c.Keys {
		if h.invites[key].token == c.Token {
			h.invites[key].token = 0
		}
	}
}

// end ends a run, which is killed or releases what it holds, and begins another one.
func (h *history) end(r *rapid.T) {
	n, killed := rapid.IntRange(0, 1).Draw(r, "run"), rapid.Bool().Draw(r, "killed")
	old := h.runs[n]
	if killed {
		require.NoError(r, h.storage.Kill(old))
	} else {
		require.NoError(r, old.Shutdown(h.Context()))
	}
	for _, i := range h.invites {
		if i.owner == old && killed {
			i.dead = true
		} else if i.owner == old {
			i.token = 0
		}
	}
	h.runs[n] = h.open()
}

// pass lets so much time pass that the claims of the dead have run out.
func (h *history) pass(r *rapid.T) {
	require.NoError(r, pass(h.clock, h.storage, Expiry))
	for _, i := range h.invites {
		i.expired = i.dead
	}
}

func (h *history) same(r *rapid.T) {
	for key, i := range h.invites {
		found, err := h.runs[0].Load(h.Context(), key)
		require.NoError(r, err)
		want := i.known
		if i.Latest != nil && i.Latest.State == ledger.Submitting {
			want.Sent, want.First = i.Latest, cmp.Or(i.First, i.Latest.MessageID)
		}
		e := found[0]
		require.Equal(r, want, known{e.FirstMessageID, facts(e.Latest), facts(e.LastSent)}, key.Address)
	}
}

func facts(r *ledger.Revision) *revision {
	if r == nil {
		return nil
	}
	return &revision{
		Number: r.Number, State: r.State, UID: r.UID, MessageID: r.MessageID,
		Attempts: r.Attempts, Copies: r.Copies, HasCalendar: len(r.Calendar) > 0, HasMessage: r.Message != nil,
	}
}
