package ledgertest

import (
	"cmp"
	"slices"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// model says what a ledger must answer: the promises of mailer.Ledger and rsvp.RefreshStore in
// plain maps. It is used by one goroutine.
type model struct {
	now     func() time.Time
	holders map[ledger.Key]*holder
	invites map[ledger.Key]*invite
}

// holder is the claim on an invite. One of a dead owner ends after Expiry, and is still good for
// writing until another takes its place.
type holder struct {
	token       int64
	owner       Ledger
	dead, ended bool
}

func newModel(now func() time.Time) *model {
	return &model{now: now, holders: make(map[ledger.Key]*holder), invites: make(map[ledger.Key]*invite)}
}

// claimed is how a claim ends.
func (m *model) claimed(keys []ledger.Key) error {
	for _, key := range keys {
		if h := m.holders[key]; h != nil && !h.ended {
			return ledger.ErrInProgress
		}
	}
	return nil
}

// hold takes a claim that was made.
func (m *model) hold(owner Ledger, c ledger.Claim) {
	for _, key := range c.Keys {
		m.holders[key] = &holder{token: c.Token, owner: owner}
	}
}

func (m *model) fence(c ledger.Claim, keys ...ledger.Key) error {
	for _, key := range keys {
		if h := m.holders[key]; h == nil || h.token != c.Token {
			return ledger.ErrClaimLost
		}
	}
	return nil
}

func (m *model) release(c ledger.Claim) error {
	for _, key := range c.Keys {
		if m.fence(c, key) == nil {
			delete(m.holders, key)
		}
	}
	return nil
}

// create adds revisions.
func (m *model) create(c ledger.Claim, all ...ledger.NewRevision) error {
	for _, made := range all {
		if err := m.fence(c, made.Key); err != nil {
			return err
		}
	}
	for _, made := range all {
		i := m.invites[made.Key]
		if i == nil {
			i = &invite{entry: ledger.Entry{Key: made.Key, Known: true}}
			m.invites[made.Key] = i
		}
		i.add(made, m.now())
		i.conclude(m.now())
	}
	return nil
}

// latest is the latest revision of an invite, for a write in the name of c.
func (m *model) latest(c ledger.Claim, key ledger.Key) (*invite, *revision, error) {
	if err := m.fence(c, key); err != nil {
		return nil, nil, err
	}
	i := m.invites[key]
	if i == nil {
		return nil, nil, errRefused
	}
	return i, i.latest(), nil
}

func (m *model) submitting(c ledger.Claim, key ledger.Key, s ledger.Submission) error {
	i, r, err := m.latest(c, key)
	if err != nil {
		return err
	}
	i.settle()
	if r.State != ledger.Submitting && r.State != ledger.Unknown {
		r.Copies, r.FirstSubmittedAt = 0, time.Time{}
	}
	r.Copies++
	if r.FirstSubmittedAt.IsZero() {
		r.FirstSubmittedAt = m.now()
	}
	r.State, r.Permanent, r.Unusable = ledger.Submitting, false, false
	r.Stage, r.Code, r.Detail, r.Reply = "", "", "", ""
	r.MessageID, r.FromName, r.FromEmail, r.Resend = s.MessageID, s.FromName, s.FromEmail, s.Resend
	r.Kind = cmp.Or(s.Kind, r.Kind)
	r.Attempts++
	r.At, r.SubmittedAt = m.now(), m.now()
	r.Message = &s.Message
	return nil
}

func (m *model) finish(c ledger.Claim, key ledger.Key, o ledger.Result) error {
	if o.State == ledger.Created {
		return errRefused
	}
	i, r, err := m.latest(c, key)
	if err != nil {
		return err
	}
	r.State, r.Permanent, r.Unusable = o.State, o.Permanent, o.Unusable
	r.Stage, r.Code, r.Detail, r.Reply = o.Stage, o.Code, o.Detail, o.Reply
	r.At = m.now()
	if o.NotLeft {
		r.Copies = max(0, r.Copies-1)
	}
	r.left = r.left || o.State == ledger.Sent || o.State == ledger.Unknown
	i.conclude(m.now())
	return nil
}

// entries are those of keys, with calendars and messages or without.
func (m *model) entries(contents bool, keys ...ledger.Key) (all []ledger.Entry) {
	for _, key := range keys {
		e := ledger.Entry{Key: key}
		if i := m.invites[key]; i != nil {
			e = i.read(contents)
		}
		all = append(all, e)
	}
	return all
}

// members are the entries of the recipients of an invite.
func (m *model) members(inviteID string, keys ...ledger.Key) []ledger.Entry {
	return slices.DeleteFunc(m.entries(false, keys...), func(e ledger.Entry) bool {
		return !e.Known || e.Key.InviteID != inviteID
	})
}

func (m *model) record(key ledger.Key, r ledger.RSVP) (done ledger.Recorded) {
	i := m.invites[key]
	if i == nil {
		return done
	}
	r.At = m.now()
	h := i.history()
	judged := h.Judge(r)
	done = ledger.Recorded{Known: true, Verdict: judged.Verdict, Before: h.Latest()}
	for n := range i.rsvps {
		i.rsvps[n].Awaited = i.rsvps[n].Awaited && i.rsvps[n].Number != judged.Repeats
	}
	if judged.Records {
		r.Revision, r.Stale = judged.Revision, judged.Verdict == ledger.PossiblyStale
		i.hear(r)
	}
	return done
}

func (m *model) rsvps(key ledger.Key) (all []ledger.RSVP) {
	if i := m.invites[key]; i != nil {
		for _, stored := range i.rsvps {
			all = append(all, stored.RSVP)
		}
	}
	return all
}

func (m *model) delivered(key ledger.Key, number int64, answered bool) {
	i := m.invites[key]
	if i == nil {
		return
	}
	for n := range i.rsvps {
		if r := &i.rsvps[n]; r.Number == number {
			r.Delivered, r.Awaited = true, r.Awaited && !answered
		}
	}
}

// some are the keys of the invites that match.
func (m *model) some(match func(*invite) bool) (keys []ledger.Key) {
	for key, i := range m.invites {
		if match(i) {
			keys = append(keys, key)
		}
	}
	return keys
}
