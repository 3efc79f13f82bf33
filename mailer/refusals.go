package mailer

import (
	"slices"
	"sync"
	"time"
)

// acceptances are the mails that a Mailer had accepted lately.
type acceptances struct {
	mu     sync.Mutex
	latest []acceptance
}

type acceptance struct {
	attempt
	at time.Time
}

// maxAcceptances is how many are kept: those of ten minutes, as often as an API allows invites.
const maxAcceptances = 5000

func (c *acceptances) add(a attempt, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest = append(c.latest, acceptance{a, now})
	c.latest = c.latest[max(0, len(c.latest)-maxAcceptances):]
}

// sameConnection reports whether mail of the same sender to another recipient was accepted on the
// same connection.
func (c *acceptances) sameConnection(a attempt) bool {
	return a.connection != 0 && c.has(func(b acceptance) bool {
		return b.sender == a.sender && b.connection == a.connection && b.key.Address != a.key.Address
	})
}

// sameSender reports whether mail of the same sender to another recipient was accepted at since or
// later.
func (c *acceptances) sameSender(a attempt, since time.Time) bool {
	return c.has(func(b acceptance) bool {
		return b.sender == a.sender && b.key.Address != a.key.Address && !b.at.Before(since)
	})
}

// any reports whether any mail was accepted at since or later.
func (c *acceptances) any(since time.Time) bool {
	return c.has(func(b acceptance) bool { return !b.at.Before(since) })
}

func (c *acceptances) has(match func(acceptance) bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.latest, match)
}

// refusal is one that may be the recipient's fault or ours.
type refusal struct {
	attempt
	said   string // what refusals have to have in common to be alike
	policy bool   // only an acceptance on the same connection proves it the recipient's
}

// refusals is what a run holds refusals against each other by. The mutex of the run guards it.
type refusals struct {
	said     string
	n        int             // refusals in a row that said so
	domains  map[string]bool // of their recipients
	doubtful []refusal       // failed, and not remembered
	proven   []attempt       // to be remembered at the end of the run
}

// maxDoubtful bounds both lists; what is not in them is tried again by the next run.
const maxDoubtful = 10_000

// accept is for a mail that was accepted: of the same sender, refusals of others were theirs.
func (r *run) accept(a attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accepted.Store(true)
	r.refusals.restart()
	r.refusals.prove(func(d refusal) bool {
		return d.key.Address != a.key.Address && d.sender == a.sender &&
			(!d.policy || d.connection == a.connection && a.connection != 0)
	})
}

// refusedClearly ends a row: a refusal of another sort came between.
func (r *run) refusedClearly() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusals.restart()
}

// refused counts a refusal, and returns how many in a row said the same, to recipients of how many
// domains.
func (r *run) refused(said, domain string) (n, domains int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &r.refusals
	if f.said != said {
		f.restart()
		f.said = said
	}
	f.n++
	if len(f.domains) < alike {
		f.domains[domain] = true
	}
	return f.n, len(f.domains)
}

// doubt keeps a refusal until a mail to another recipient is accepted.
func (r *run) doubt(d refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &r.refusals
	if len(f.doubtful)+len(f.proven) < maxDoubtful {
		f.doubtful = append(f.doubtful, d)
	}
}

// goodSender is for a server that takes mail from the sender of d: those who were refused like d are
// refused themselves.
func (r *run) goodSender(d refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusals.restart()
	r.refusals.prove(func(other refusal) bool { return other.said == d.said && other.sender == d.sender })
}

// restart begins a new row.
func (f *refusals) restart() { f.said, f.n, f.domains = "", 0, make(map[string]bool) }

func (f *refusals) prove(of func(refusal) bool) {
	f.doubtful = slices.DeleteFunc(f.doubtful, func(d refusal) bool {
		proven := of(d)
		if proven {
			f.proven = append(f.proven, d.attempt)
		}
		return proven
	})
}
