package ledgertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// model is a Storage in plain maps, whose ledgers do what mailer.Ledger promises and nothing
// clever. Others are compared with it.
type model struct {
	now func() time.Time

	mu      sync.Mutex
	token   int64
	claims  map[ledger.Key]*holding
	invites map[ledger.Key]*invite
	alive   map[*modelLedger]bool
}

// modelLease is how long a claim outlives its owner.
const modelLease = 20 * time.Second

// holding is a claim. It expires only once its owner is dead: an owner that lives renews what it
// holds.
type holding struct {
	token   int64
	owner   *modelLedger
	expires time.Time // zero while the owner lives
}

func newModel(now func() time.Time) *model {
	return &model{now: now, claims: make(map[ledger.Key]*holding), invites: make(map[ledger.Key]*invite), alive: make(map[*modelLedger]bool)}
}

// Open implements Storage.
func (m *model) Open() (Ledger, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := &modelLedger{m}
	m.alive[l] = true
	return l, nil
}

// Kill implements Storage.
func (m *model) Kill(l Ledger) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range m.claims {
		if h.owner == l && h.expires.IsZero() {
			h.expires = m.now().Add(modelLease)
		}
	}
	delete(m.alive, l.(*modelLedger))
	return nil
}

// Beat implements Storage. There is nothing to be renewed.
func (m *model) Beat() error { return nil }

// call runs a method's work, one at a time.
func (m *model) call(ctx context.Context, work func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return work()
}

// modelLedger is one owner on a model.
type modelLedger struct{ *model }

// Shutdown waits for nothing, as no call does. Of a ledger that was killed it releases nothing.
func (l *modelLedger) Shutdown(context.Context) error {
	return l.call(context.Background(), func() error {
		if l.alive[l] {
			maps.DeleteFunc(l.claims, func(_ ledger.Key, h *holding) bool { return h.owner == l })
			delete(l.alive, l)
		}
		return nil
	})
}

func (l *modelLedger) Lookup(ctx context.Context, keys ...ledger.Key) ([]ledger.Entry, error) {
	return l.read(ctx, false, keys)
}

func (l *modelLedger) Load(ctx context.Context, keys ...ledger.Key) ([]ledger.Entry, error) {
	return l.read(ctx, true, keys)
}

func (l *modelLedger) read(ctx context.Context, contents bool, keys []ledger.Key) (found []ledger.Entry, err error) {
	err = l.call(ctx, func() error {
		for _, key := range keys {
			if i, ok := l.invites[key]; ok {
				found = append(found, i.read(contents))
			} else {
				found = append(found, ledger.Entry{Key: key})
			}
		}
		return nil
	})
	return found, err
}

func (l *modelLedger) Members(ctx context.Context, inviteID string) (found []ledger.Entry, err error) {
	err = l.call(ctx, func() error {
		for key, i := range l.invites {
			if key.InviteID == inviteID {
				found = append(found, i.read(false))
			}
		}
		return nil
	})
	slices.SortFunc(found, func(a, b ledger.Entry) int { return cmp.Compare(a.Key.Address, b.Key.Address) })
	return found, err
}

func (l *modelLedger) Claim(ctx context.Context, keys ...ledger.Key) (claim ledger.Claim, err error) {
	err = l.call(ctx, func() error {
		if !l.alive[l] {
			return errors.New("the ledger was shut down")
		}
		now, inProgress := l.now(), false
		for _, key := range keys {
			h, held := l.claims[key]
			if !held || !h.expires.IsZero() && !h.expires.After(now) {
				continue
			}
			inProgress = true
			if lasts := now.Add(modelLease); h.expires.After(lasts) { // the clock was set back
				h.expires = lasts
			}
		}
		if inProgress {
			return ledger.ErrInProgress
		}
		l.token++
		for _, key := range keys {
			l.claims[key] = &holding{token: l.token, owner: l}
		}
		claim = ledger.Claim{Token: l.token, Keys: slices.Clone(keys)}
		return nil
	})
	return claim, err
}

func (l *modelLedger) Release(ctx context.Context, c ledger.Claim) error {
	return l.call(ctx, func() error {
		for _, key := range c.Keys {
			if l.fence(c, key) == nil {
				delete(l.claims, key)
			}
		}
		return nil
	})
}

func (l *modelLedger) fence(c ledger.Claim, keys ...ledger.Key) error {
	for _, key := range keys {
		if h, held := l.claims[key]; !held || h.token != c.Token {
			return ledger.ErrClaimLost
		}
	}
	return nil
}

func (l *modelLedger) Create(ctx context.Context, c ledger.Claim, made ...ledger.NewRevision) error {
	return l.call(ctx, func() error {
		for _, m := range made {
			if err := l.fence(c, m.Key); err != nil {
				return err
			}
		}
		for _, m := range made {
			if l.invites[m.Key] == nil {
				l.invites[m.Key] = &invite{entry: ledger.Entry{Key: m.Key, Known: true}, number: int64(len(l.invites)) + 1}
			}
			l.invites[m.Key].add(m, l.now())
		}
		return nil
	})
}

func (l *modelLedger) Submitting(ctx context.Context, c ledger.Claim, key ledger.Key, s ledger.Submission) error {
	return l.change(ctx, c, key, func(i *invite, r *revision) {
		i.settle()
		if r.State != ledger.Submitting && r.State != ledger.Unknown {
			r.Copies, r.FirstSubmittedAt = 0, time.Time{}
		}
		if r.Copies++; r.FirstSubmittedAt.IsZero() {
			r.FirstSubmittedAt = l.now()
		}
		r.State, r.Permanent, r.Unusable = ledger.Submitting, false, false
		r.Stage, r.Code, r.Detail, r.Reply = "", "", "", ""
		r.MessageID, r.FromName, r.FromEmail, r.Resend = s.MessageID, s.FromName, s.FromEmail, s.Resend
		r.Kind = cmp.Or(s.Kind, r.Kind)
		r.Attempts++
		r.At, r.SubmittedAt = l.now(), l.now()
		r.Message = ownMessage(&s.Message)
	})
}

func (l *modelLedger) Finish(ctx context.Context, c ledger.Claim, key ledger.Key, o ledger.Result) error {
	switch o.State {
	case ledger.Sent, ledger.Deferred, ledger.Failed, ledger.Unknown, ledger.Expired, ledger.Settled:
	default:
		return fmt.Errorf("state %q is not an outcome", o.State)
	}
	return l.change(ctx, c, key, func(i *invite, r *revision) {
		r.State, r.Permanent, r.Unusable = o.State, o.Permanent, o.Unusable
		r.Stage, r.Code, r.Detail, r.Reply = o.Stage, o.Code, o.Detail, o.Reply
		r.At = l.now()
		if o.NotLeft {
			r.Copies = max(0, r.Copies-1)
		}
		r.left = r.left || o.State == ledger.Sent || o.State == ledger.Unknown
		i.conclude(l.now())
	})
}

// change lets fn change the latest revision of an invite.
func (l *modelLedger) change(ctx context.Context, c ledger.Claim, key ledger.Key, fn func(*invite, *revision)) error {
	return l.call(ctx, func() error {
		if err := l.fence(c, key); err != nil {
			return err
		}
		i, ok := l.invites[key]
		if !ok {
			return errors.New("the invite has no revision")
		}
		fn(i, i.latest())
		return nil
	})
}
