package mailer

import (
	"context"
	"sync"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// run is what the invites of one call of SendAll share. A nil run is a single
// call of Send: it has no limits and remembers nothing.
type run struct {
	maxMails int // 0 is no limit

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced whenever the counts change
	reserved int           // mails that may still be begun by somebody
	spent    int           // mails begun
	unknown  map[ledger.Key]bool
}

func newRun(maxMails int) *run {
	return &run{maxMails: maxMails, changed: make(chan struct{}), unknown: make(map[ledger.Key]bool)}
}

// take reserves up to want mails and returns how many it got. It waits while
// the rest of the limit is reserved by others, since they may give it back, and
// returns 0 when the limit is spent or the context has ended.
func (r *run) take(ctx context.Context, want int) int {
	if r == nil || r.maxMails == 0 || want == 0 {
		return want
	}
	for {
		r.mu.Lock()
		if free := r.maxMails - r.spent - r.reserved; free > 0 {
			got := min(free, want)
			r.reserved += got
			r.mu.Unlock()
			return got
		}
		spent, changed := r.spent >= r.maxMails, r.changed
		r.mu.Unlock()
		if spent {
			return 0
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0
		}
	}
}

// give returns mails that were reserved and not begun.
func (r *run) give(n int) { r.count(n, 0) }

// spend turns reserved mails into begun ones.
func (r *run) spend(n int) { r.count(n, n) }

func (r *run) count(release, spend int) {
	if r == nil || r.maxMails == 0 || release == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reserved -= release
	r.spent += spend
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *run) setUnknown(k ledger.Key) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unknown[k] = true
}

func (r *run) isUnknown(k ledger.Key) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unknown[k]
}
