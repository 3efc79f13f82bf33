package ledgertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Memory is a Storage in plain maps, whose ledgers do what mailer.Ledger
// promises and nothing clever. It is the model that others are compared with.
type Memory struct {
	now func() time.Time

	mu      sync.Mutex
	token   int64
	claims  map[ledger.Key]*holding
	invites map[ledger.Key]*invite
	alive   []*memoryLedger
}

var _ Storage = (*Memory)(nil)

// memoryLease is how long a claim outlives its owner.
const memoryLease = 20 * time.Second

// holding is a claim. It expires only once its owner is dead: an owner that lives
// renews what it holds.
type holding struct {
	token   int64
	owner   *memoryLedger
	expires time.Time // zero while the owner lives
}

type invite struct {
	entry     ledger.Entry // but for its revisions and RSVPs
	revisions []*revision
	rsvps     []ledger.StoredRSVP
	number    int64     // of the invite, by age
	askedAt   time.Time // when the API was asked about it last
}

type revision struct {
	ledger.Revision
	left bool // one of its submissions did, or may have
}

func (r *revision) mayHaveLeft() bool {
	return (r.left || r.State.MayHaveLeft()) && r.MessageID != ""
}

// NewMemory returns an empty storage with that time.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, claims: make(map[ledger.Key]*holding), invites: make(map[ledger.Key]*invite)}
}

// Open implements Storage.
func (m *Memory) Open() (Ledger, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := &memoryLedger{m}
	m.alive = append(m.alive, l)
	return l, nil
}

// Kill implements Storage.
func (m *Memory) Kill(l Ledger) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.alive, l.(*memoryLedger)) {
		return nil
	}
	m.alive = slices.DeleteFunc(m.alive, func(a *memoryLedger) bool { return a == l })
	for _, h := range m.claims {
		if h.owner == l {
			h.expires = m.now().Add(memoryLease)
		}
	}
	return nil
}

// Beat implements Storage. There is nothing to be renewed.
func (m *Memory) Beat() error { return nil }

// memoryLedger is one owner on a Memory.
type memoryLedger struct{ *Memory }

// Shutdown waits for nothing, as no call does.
func (l *memoryLedger) Shutdown(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.alive, l) {
		return nil // killed, or shut down before
	}
	for key, h := range l.claims {
		if h.owner == l {
			delete(l.claims, key)
		}
	}
	l.alive = slices.DeleteFunc(l.alive, func(a *memoryLedger) bool { return a == l })
	return nil
}

func (l *memoryLedger) Lookup(ctx context.Context, keys ...ledger.Key) ([]ledger.Entry, error) {
	return l.read(ctx, false, keys)
}

func (l *memoryLedger) Load(ctx context.Context, keys ...ledger.Key) ([]ledger.Entry, error) {
	return l.read(ctx, true, keys)
}

func (l *memoryLedger) Members(ctx context.Context, inviteID string) ([]ledger.Entry, error) {
	l.mu.Lock()
	var keys []ledger.Key
	for key := range l.invites {
		if key.InviteID == inviteID {
			keys = append(keys, key)
		}
	}
	l.mu.Unlock()
	slices.SortFunc(keys, func(a, b ledger.Key) int { return strings.Compare(a.Address, b.Address) })
	return l.read(ctx, false, keys)
}

func (l *memoryLedger) read(ctx context.Context, contents bool, keys []ledger.Key) ([]ledger.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	found := make([]ledger.Entry, 0, len(keys))
	for _, key := range keys {
		i, ok := l.invites[key]
		if !ok {
			found = append(found, ledger.Entry{Key: key})
			continue
		}
		found = append(found, i.read(contents))
	}
	return found, nil
}

// read copies, so that nobody writes into the record.
func (i *invite) read(contents bool) ledger.Entry {
	e := i.entry
	latest := i.revisions[len(i.revisions)-1]
	if e.FirstMessageID == "" && latest.State == ledger.Submitting {
		e.FirstMessageID = latest.MessageID
	}
	e.Latest = latest.copied(contents)
	for n, r := range slices.Backward(i.revisions) {
		if r.mayHaveLeft() {
			e.LastSent = e.Latest
			if n < len(i.revisions)-1 {
				e.LastSent = r.copied(contents)
			}
			break
		}
	}
	if latest := i.history().Latest(); latest != nil {
		e.RSVP = ownRSVP(latest)
	}
	return e
}

func (r *revision) copied(contents bool) *ledger.Revision {
	c := r.Revision
	c.Calendar, c.Message = nil, nil
	if contents {
		c.Calendar = bytes.Clone(r.Calendar)
		if r.Message != nil {
			message := *r.Message
			message.Bytes = bytes.Clone(message.Bytes)
			c.Message = &message
		}
	}
	return &c
}

func (l *memoryLedger) Claim(ctx context.Context, keys ...ledger.Key) (ledger.Claim, error) {
	if err := ctx.Err(); err != nil {
		return ledger.Claim{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.alive, l) {
		return ledger.Claim{}, errors.New("the ledger was shut down")
	}
	now, inProgress := l.now(), false
	for _, key := range keys {
		h, held := l.claims[key]
		switch {
		case !held:
		case h.expires.IsZero():
			inProgress = true
		case h.expires.After(now):
			inProgress = true
			if lasts := now.Add(memoryLease); h.expires.After(lasts) { // the clock was set back
				h.expires = lasts
			}
		}
	}
	if inProgress {
		return ledger.Claim{}, ledger.ErrInProgress
	}
	l.token++
	for _, key := range keys {
		l.claims[key] = &holding{token: l.token, owner: l}
	}
	return ledger.Claim{Token: l.token, Keys: slices.Clone(keys)}, nil
}

func (l *memoryLedger) Release(ctx context.Context, c ledger.Claim) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range c.Keys {
		if l.fence(c, key) == nil {
			delete(l.claims, key)
		}
	}
	return nil
}

func (l *memoryLedger) fence(c ledger.Claim, key ledger.Key) error {
	if h, held := l.claims[key]; !held || h.token != c.Token {
		return ledger.ErrClaimLost
	}
	return nil
}

func (l *memoryLedger) Create(ctx context.Context, c ledger.Claim, made ...ledger.NewRevision) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range made {
		if err := l.fence(c, m.Key); err != nil {
			return err
		}
	}
	for _, m := range made {
		l.create(m)
	}
	return nil
}

func (l *memoryLedger) create(m ledger.NewRevision) {
	i, ok := l.invites[m.Key]
	if !ok {
		i = &invite{entry: ledger.Entry{Key: m.Key, Known: true}, number: int64(len(l.invites)) + 1}
		l.invites[m.Key] = i
	}
	asks := i.lastAsks()
	if ok {
		i.settle()
		i.dropBarren()
	}
	i.entry.Recipient, i.entry.Grouped = m.Recipient, m.Grouped
	if m.Revision.UID != "" {
		i.entry.UID = m.Revision.UID
	}
	if !m.EndsAt.IsZero() {
		i.entry.EndsAt = m.EndsAt
	}
	r := &revision{Revision: m.Revision, left: m.Revision.State == ledger.Sent || m.Revision.State == ledger.Unknown}
	r.Number = int64(len(i.revisions)) + 1
	r.At, r.CreatedAt = l.now(), l.now()
	r.Asks = asks
	if m.AsksAnew {
		r.Asks = r.Number
	}
	r.Revision = *r.copied(true)
	i.revisions = append(i.revisions, r)
	i.conclude()
	i.askAnew(l.now())
}

// dropBarren makes room for a second try of what brought neither a calendar nor
// a mail.
func (i *invite) dropBarren() {
	last := len(i.revisions) - 1
	r := i.revisions[last]
	if r.UID == "" && r.MessageID == "" && (r.State == ledger.Deferred || r.State == ledger.Failed || r.State == ledger.Expired) {
		i.revisions = i.revisions[:last]
	}
}

func (l *memoryLedger) Submitting(ctx context.Context, c ledger.Claim, key ledger.Key, s ledger.Submission) error {
	return l.change(ctx, c, key, func(i *invite, r *revision) {
		i.settle()
		if r.State != ledger.Submitting && r.State != ledger.Unknown {
			r.Copies, r.FirstSubmittedAt = 0, time.Time{}
		}
		r.Copies++
		if r.FirstSubmittedAt.IsZero() {
			r.FirstSubmittedAt = l.now()
		}
		r.State, r.Permanent, r.Unusable = ledger.Submitting, false, false
		r.Stage, r.Code, r.Detail, r.Reply = "", "", "", ""
		r.MessageID, r.FromName, r.FromEmail, r.Resend = s.MessageID, s.FromName, s.FromEmail, s.Resend
		if s.Kind != "" {
			r.Kind = s.Kind
		}
		r.Attempts++
		r.At, r.SubmittedAt = l.now(), l.now()
		message := s.Message
		message.Bytes = bytes.Clone(message.Bytes)
		r.Message = &message
	})
}

func (l *memoryLedger) Finish(ctx context.Context, c ledger.Claim, key ledger.Key, o ledger.Result) error {
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
		i.conclude()
		i.askAnew(l.now())
	})
}

func (l *memoryLedger) change(ctx context.Context, c ledger.Claim, key ledger.Key, fn func(*invite, *revision)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.fence(c, key); err != nil {
		return err
	}
	i, ok := l.invites[key]
	if !ok {
		return errors.New("the invite has no revision")
	}
	fn(i, i.revisions[len(i.revisions)-1])
	return nil
}

// settle: what a crash cut short may have left.
func (i *invite) settle() {
	if r := i.revisions[len(i.revisions)-1]; r.State == ledger.Submitting {
		r.left = true
		i.first(r)
	}
}

func (i *invite) first(r *revision) {
	if i.entry.FirstMessageID == "" && r.left {
		i.entry.FirstMessageID = r.MessageID
	}
}

// conclude keeps the contents of the latest revision and of the last that may
// have left, and messages only of those that are submitting or unknown.
func (i *invite) conclude() {
	i.first(i.revisions[len(i.revisions)-1])
	kept := false // the last sent one
	for n, r := range slices.Backward(i.revisions) {
		latest, lastSent := n == len(i.revisions)-1, !kept && r.mayHaveLeft()
		kept = kept || lastSent
		if !latest && !lastSent {
			r.Calendar, r.Message = nil, nil
		}
		if r.State != ledger.Submitting && r.State != ledger.Unknown {
			r.Message = nil
		}
	}
}
