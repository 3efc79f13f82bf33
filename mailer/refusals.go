package mailer

import (
	"maps"
	"sync"
	"time"
)

// acceptances is who a Mailer had mail accepted for lately. The zero value is
// ready.
type acceptances struct {
	mu     sync.Mutex
	latest map[acceptedBy][2]acceptance // the latest two recipients, the last first
}

// acceptedBy is what a refusal must have in common with an acceptance.
type acceptedBy struct {
	sender     sender
	connection int
}

type acceptance struct {
	recipient string
	at        time.Time
}

// maxAcceptedBy is how many senders and connections are kept without a look at
// their age.
const maxAcceptedBy = 256

func (c *acceptances) add(a attempt, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.latest == nil {
		c.latest = make(map[acceptedBy][2]acceptance)
	}
	if len(c.latest) >= maxAcceptedBy {
		maps.DeleteFunc(c.latest, func(_ acceptedBy, two [2]acceptance) bool { return two[0].at.Before(now.Add(-recently)) })
	}
	by := acceptedBy{a.sender, a.connection}
	two := c.latest[by]
	if two[0].recipient != a.key.Address {
		two[1] = two[0]
	}
	two[0] = acceptance{a.key.Address, now}
	c.latest[by] = two
}

// other reports whether mail of the same sender to another recipient was
// accepted at since or later; sameConnection: on the same connection.
func (c *acceptances) other(a attempt, since time.Time, sameConnection bool) bool {
	if sameConnection && a.connection == 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for by, two := range c.latest {
		if by.sender != a.sender || sameConnection && by.connection != a.connection {
			continue
		}
		for _, one := range two {
			if one.recipient != "" && one.recipient != a.key.Address && !one.at.Before(since) {
				return true
			}
		}
	}
	return false
}

// any reports whether any mail was accepted at since or later.
func (c *acceptances) any(since time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, two := range c.latest {
		if !two[0].at.Before(since) {
			return true
		}
	}
	return false
}

// refusal is one that may be the recipient's fault or ours.
type refusal struct {
	attempt
	said   string
	policy bool // only an acceptance on the same connection proves it the recipient's
}

// refusals is what a run holds refusals against each other by.
type refusals struct {
	accepted bool // any mail was
	said     string
	n        int             // refusals in a row that said so
	domains  map[string]bool // of their recipients
	asking   bool            // somebody asks about the sender, or the answer stops the run
	doubtful []refusal       // failed, and not remembered
	proven   []attempt       // to be remembered at the end of the run
}

// maxDoubtful bounds both lists; what is not in them is tried again by the next
// run.
const maxDoubtful = 10_000

// accept is for a mail that was accepted: of the same sender, refusals of others
// were theirs.
func (r *run) accept(a attempt) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &r.refusals
	f.accepted = true
	f.restart()
	f.prove(func(d refusal) bool {
		return d.key.Address != a.key.Address && d.sender == a.sender && (!d.policy || d.connection == a.connection && a.connection != 0)
	})
}

func (r *run) hasAccepted() bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refusals.accepted
}

// refusedClearly ends a row: a refusal of another sort came between.
func (r *run) refusedClearly() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusals.restart()
}

// refused counts a refusal, and returns how many in a row said the same, to
// recipients of how many domains.
func (r *run) refused(said, domain string) (n, domains int) {
	if r == nil {
		return 0, 0
	}
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

// doubt keeps a refusal until a mail to somebody else is accepted.
func (r *run) doubt(d refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &r.refusals
	if len(f.doubtful)+len(f.proven) < maxDoubtful {
		f.doubtful = append(f.doubtful, d)
	}
}

// beginAsking reports whether it is for the caller to ask about the sender.
func (r *run) beginAsking() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	begun := !r.refusals.asking
	r.refusals.asking = true
	return begun
}

// endAsking ends what beginAsking began. If the sender is good, those who were
// refused like d are refused themselves.
func (r *run) endAsking(d refusal, good bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &r.refusals
	f.asking = !good
	if good {
		f.restart()
		f.prove(func(other refusal) bool { return other.said == d.said && other.sender == d.sender })
	}
}

// takeProven returns the refusals that are to be remembered.
func (r *run) takeProven() []attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	proven := r.refusals.proven
	r.refusals.proven = nil
	return proven
}

// restart begins a new row. The caller of this and of prove holds the lock.
func (f *refusals) restart() { f.said, f.n, f.domains = "", 0, make(map[string]bool) }

func (f *refusals) prove(of func(refusal) bool) {
	rest := f.doubtful[:0]
	for _, d := range f.doubtful {
		if of(d) {
			f.proven = append(f.proven, d.attempt)
		} else {
			rest = append(rest, d)
		}
	}
	f.doubtful = rest
}
