package submission

import (
	"log/slog"
	"sync"
	"time"
)

// tellAfter is how long a server may take for an answer before the log says
// what is being waited for.
const tellAfter = 10 * time.Second

// await tells in the log what a connection has been waiting for, so that nobody
// has to guess why nothing goes on. It is told once for each wait.
type await struct {
	log  *slog.Logger
	host string // with the port

	mu    sync.Mutex
	timer *time.Timer
	step  Step
	since time.Time // zero while nothing is waited for
}

// begin is called before something is waited for, and end after it.
func (a *await) begin(step Step) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.step, a.since = step, time.Now()
	if a.timer == nil {
		a.timer = time.AfterFunc(tellAfter, a.tell)
		return
	}
	a.timer.Reset(tellAfter)
}

func (a *await) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.since = time.Time{}
	a.timer.Stop()
}

func (a *await) tell() {
	a.mu.Lock()
	step, since := a.step, a.since
	a.mu.Unlock()
	if so := time.Since(since); !since.IsZero() && so >= tellAfter { // else it ended in the same moment
		a.log.Info("still waiting for the smtp server", "server", a.host, "step", string(step), "so_far", so.Round(time.Second).String())
	}
}
