package mailer

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/internal/backoff"
)

// Result is what became of one item: a receipt for each of its recipients.
type Result struct {
	Item     Item
	Receipts []Receipt
}

// The bounds of a run.
const (
	readAhead    = 64                     // items of the input that wait to be taken
	maxWaiting   = 1000                   // invites that wait for their next try, or for another of their id
	firstBackoff = 1 * time.Second        // before the second try; doubles
	maxBackoff   = 30 * time.Second       // between two tries
	drainTimeout = 200 * time.Millisecond // for one more item of a stopped run; a pipe may have none
)

// SendAll sends the items as they come, several at once, and those of one id in their order; emit
// is called with each result as it is known, by one goroutine at a time. Memory does not grow with
// the number of items. A withdrawal that Config.WithdrawMissing asks for takes its turn like an
// item; its receipt is in the result of its group, which comes when the last of them has ended.
//
// The error is nil if the run came to its end, whatever became of the items; otherwise it is
// ErrStopped, [ErrClosed], the end of the context, or the *[Error] that stopped the run. Items that
// were not begun then get the outcome Deferred.
//
// The iterator runs in a goroutine of its own. A run that was stopped does not wait for it: it may
// outlive SendAll, until it ends or yields once more, when yield returns false. If it panics, the
// run is stopped, and SendAll panics with the same value once what is in hand has ended; a panic
// that comes after SendAll returned is lost.
func (m *Mailer) SendAll(ctx context.Context, items iter.Seq[Item], o RunOptions, emit func(Result)) error {
	o = o.withDefaults()
	if emit == nil {
		emit = func(Result) {}
	}
	if items == nil {
		items = func(yield func(Item) bool) {
			yield(Item{Err: invalidItem("there is no iterator over the items; give one, such as slices.Values")})
		}
	}
	run := m.newRun(o)
	s := &scheduler{m: m, o: o, emit: emit, run: run, busy: make(map[string][]*task),
		tried: make(chan *task, o.workers()), due: make(chan *task, maxWaiting)}
	if m.begin() {
		defer m.end()
	} else {
		s.halt(ErrClosed)
	}
	ended := make(chan struct{})
	defer func() {
		run.stop(ErrStopped)
		close(ended)
		s.working.Wait() // emit may have panicked
	}()
	in := &input{items: make(chan Item, readAhead)}
	go in.read(items, ended)
	err := s.loop(ctx, in)
	m.recordProven(ctx, run)
	if s.panicked != nil {
		panic(s.panicked)
	}
	return err
}

// input is what the iterator of a run gives.
type input struct {
	items    chan Item
	panicked any // what the iterator panicked with; set before items is closed
}

func (in *input) read(items iter.Seq[Item], ended <-chan struct{}) {
	defer close(in.items)
	defer func() { in.panicked = recover() }()
	for item := range items {
		select {
		case in.items <- item:
		case <-ended:
			return
		}
	}
}

// scheduler is the state of one SendAll. It belongs to the goroutine of loop; others only see the task
// that they try.
type scheduler struct {
	m    *Mailer
	o    RunOptions
	emit func(Result)
	run  *run

	working sync.WaitGroup
	trying  int        // tasks
	tried   chan *task // has room for all of them

	ready   []*task            // may be begun
	waiting []*task            // for their next try
	due     chan *task         // of these, whose time has come; has room for all
	busy    map[string][]*task // ids in hand or waiting, and the tasks queued behind
	known   int                // all tasks: ready, waiting, queued, being tried

	failingSince time.Time // zero after a success
	stopped      error     // why nothing new is begun
	panicked     any       // as in input
}

// begin has the tasks that may be begun tried, as many at once as there are workers.
func (s *scheduler) begin(ctx context.Context) {
	for len(s.ready) > 0 && s.trying < s.o.workers() {
		t := s.ready[0]
		s.ready = s.ready[1:]
		s.trying++
		s.working.Go(func() {
			t.try(ctx)
			s.tried <- t
		})
	}
}

func (s *scheduler) loop(ctx context.Context, in *input) error {
	input, stop, closing, done := in.items, s.o.Stop, s.m.closing, ctx.Done()
	for input != nil || s.known > 0 {
		s.begin(ctx)
		var items <-chan Item
		if s.known < s.o.workers()+maxWaiting {
			items = input
		}
		var drained <-chan time.Time
		if s.stopped != nil && s.known == 0 {
			drained = time.After(drainTimeout)
		}
		select {
		case t := <-s.tried:
			s.trying--
			s.settle(t)
		case t := <-s.due:
			if i := slices.Index(s.waiting, t); i >= 0 { // it was not deferred meanwhile
				s.waiting = slices.Delete(s.waiting, i, i+1)
				s.ready = append(s.ready, t)
			}
		case item, ok := <-items:
			if ok {
				s.add(item)
				break
			}
			input = nil
			if s.panicked = in.panicked; s.panicked != nil {
				s.halt(errors.New("the iterator over the items panicked"))
			}
		case <-drained:
			return s.stopped
		case <-stop:
			stop = nil
			s.halt(ErrStopped)
		case <-closing:
			closing = nil
			s.halt(ErrClosed)
		case <-done:
			done = nil
			s.halt(context.Cause(ctx))
		}
	}
	return s.stopped
}

// add takes in one item.
func (s *scheduler) add(item Item) {
	problem := item.problem()
	switch {
	case problem != nil:
		s.emit(Result{Item: item, Receipts: s.m.refuse(item, Invalid, problem)})
		return
	case s.stopped != nil:
		s.emit(Result{Item: item, Receipts: s.m.refuse(item, Deferred, notBegun(StageRead, s.stopped))})
		return
	}
	t := &task{m: s.m, run: s.run, item: item}
	s.known++
	id := item.group().ID
	if queue, busy := s.busy[id]; busy {
		s.busy[id] = append(queue, t)
		return
	}
	s.busy[id] = nil
	s.ready = append(s.ready, t)
}

// settle decides what follows a try: another one, or the result.
func (s *scheduler) settle(t *task) {
	receipts := t.latest()
	if e := stopping(receipts); e != nil {
		s.end(t)
		s.halt(e)
		return
	}
	asked, failure := retry(receipts)
	if failure == nil {
		s.failingSince = time.Time{}
		s.end(t)
		return
	}
	now := s.m.cfg.Now()
	if t.first.IsZero() {
		t.first = now
	}
	begins := s.failingSince.IsZero()
	if begins {
		s.failingSince = now
	}
	since := t.first
	if s.failingSince.Before(since) {
		since = s.failingSince
	}
	wait := max(asked, backoff.Backoff{First: firstBackoff, Max: maxBackoff}.Half(t.tries, s.o.Jitter()))
	if s.stopped != nil || len(s.waiting) >= maxWaiting || now.Add(wait).After(since.Add(s.o.RetryFor)) {
		s.end(t)
		return
	}
	if begins {
		s.m.log.Warn("a temporary failure: what it meets is tried again",
			"for", s.o.RetryFor.String(), "error", failure)
	}
	s.waiting = append(s.waiting, t)
	t.timer = time.AfterFunc(wait, func() { s.due <- t })
}

// end lets a task go on to its next job. After the last it emits the result and lets the next task
// of its id begin.
func (s *scheduler) end(t *task) {
	if s.stopped != nil {
		t.stop(s.stopped)
	} else if t.next() {
		s.ready = append(s.ready, t)
		return
	}
	s.emit(Result{Item: t.item, Receipts: t.receipts})
	s.known--
	id := t.item.group().ID
	queue := s.busy[id]
	if len(queue) == 0 {
		delete(s.busy, id)
		return
	}
	s.busy[id] = queue[1:]
	s.ready = append(s.ready, queue[0])
}

// halt begins nothing new: what is under way is finished, what waits for another try keeps the
// outcome of its last one, the rest is deferred.
func (s *scheduler) halt(cause error) {
	if s.stopped != nil {
		return
	}
	s.stopped = cause
	s.run.stop(cause)
	held := slices.Concat(s.waiting, s.ready)
	for id, queue := range s.busy {
		held = append(held, queue...)
		s.busy[id] = nil
	}
	for _, t := range s.waiting {
		t.timer.Stop()
	}
	s.ready, s.waiting = nil, nil
	for _, t := range held {
		s.known--
		t.stop(cause)
		s.emit(Result{Item: t.item, Receipts: t.receipts})
	}
}

func stopping(receipts []Receipt) *Error {
	for _, r := range receipts {
		if r.Error != nil && r.Error.StopsRun {
			return r.Error
		}
	}
	return nil
}

// retry returns the first failure for which another try in the same run makes sense, and the longest
// wait that a server asked for.
func retry(receipts []Receipt) (wait time.Duration, failure error) {
	for _, r := range receipts {
		if again, asked := r.retry(); again {
			wait = max(wait, asked)
			if failure == nil {
				failure = r.Error
			}
		}
	}
	return wait, failure
}
