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

// Item is one record for [Mailer.SendAll]: an invite, a group, or the reason
// why it could not be read. One that holds none of them, or both an invite and a
// group, is Invalid.
type Item struct {
	Invite *Invite
	Group  *Group
	// Err is set for a record that is wrong as it stands; its receipt is
	// Invalid, whatever the two fields above hold.
	Err *Error
	// Repeats is set for a record with the same content as an earlier one of
	// its input: it is answered from the record, and never sent by itself.
	Repeats bool
	// Tag is the caller's own, such as file and line.
	Tag any
}

// Result is what became of one item: a receipt for each of its recipients.
type Result struct {
	Item     Item
	Receipts []Receipt
}

// The bounds of a run.
const (
	readAhead    = 64               // items of the input that nobody has looked at
	maxWaiting   = 1000             // invites that wait for their next try, or for another of their id
	firstBackoff = 1 * time.Second  // before the second try; doubles
	maxBackoff   = 30 * time.Second // between two tries
	// drainTimeout is how long a stopped run waits for one more record of its
	// input: a file has it at once, a pipe may never.
	drainTimeout = 200 * time.Millisecond
)

// SendAll sends the items as they come, several at once, and those of one id in
// their order; emit is called with each result as it is known, by one goroutine
// at a time. Memory does not grow with the number of items. A withdrawal that
// Config.WithdrawMissing asks for takes its turn like an item; its receipt is in
// the result of its group, which comes when the last of them has ended.
//
// The error is nil if the run came to its end, whatever became of the items;
// otherwise it is ErrStopped, [ErrClosed], the end of the context, or the *[Error]
// that stopped the run. Items that were not begun then get the outcome Deferred.
//
// The iterator runs in a goroutine of its own. A run that was stopped does not
// wait for it: it may outlive SendAll, until it yields once more, when yield
// returns false, or ends. What it reads from should end with the run. If it
// panics, the run is stopped, and SendAll panics with the same value once what is
// in hand has ended; a panic that comes after SendAll returned is lost.
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
	workers := o.workers()
	// To wake another goroutine for each item costs more than an item that needs
	// nothing: whoever has more to hand over goes on.
	b := &batchRun{m: m, o: o, emit: emit, run: m.newRun(o),
		busy: make(map[string][]*task), work: make(chan *task), finished: make(chan *task, workers)}
	closed := !m.inHand.begin()
	if !closed {
		defer m.inHand.end()
	}
	var working sync.WaitGroup
	for range workers {
		working.Go(func() { b.worker(ctx) })
	}
	defer func() {
		b.run.stop(ErrStopped) // if emit panics, there are tasks in hand
		close(b.work)
		working.Wait()
	}()
	quit := make(chan struct{})
	defer close(quit)
	input := &input{items: make(chan Item, readAhead)}
	go input.read(items, quit)
	b.limit = workers + maxWaiting
	if closed {
		b.halt(ErrClosed)
		return b.loop(ctx, input)
	}
	err := b.loop(ctx, input)
	m.remember(ctx, b.run)
	if b.panicked != nil {
		panic(b.panicked)
	}
	return err
}

// input is what the iterator of a run gives.
type input struct {
	items    chan Item
	panicked any // what the iterator panicked with; set before items is closed
}

func (in *input) read(items iter.Seq[Item], quit <-chan struct{}) {
	defer close(in.items)
	defer func() { in.panicked = recover() }()
	for item := range items {
		select {
		case in.items <- item:
		case <-quit:
			return
		}
	}
}

// batchRun is the state of one SendAll. All of it belongs to the goroutine of
// loop; workers only see the task they are given.
type batchRun struct {
	m    *Mailer
	o    RunOptions
	emit func(Result)
	run  *run

	work     chan *task
	finished chan *task

	ready   []*task            // may be begun
	waiting []*task            // for their next try
	busy    map[string][]*task // ids in hand or waiting, and who is queued behind
	inHand  int                // with a worker
	known   int                // all tasks: ready, waiting, queued, in hand
	limit   int

	failingSince time.Time // zero after a success
	stop         error     // why nothing new is begun
	panicked     any       // as in input
}

func (b *batchRun) worker(ctx context.Context) {
	for t := range b.work {
		b.m.try(ctx, t, b.run)
		b.finished <- t
	}
}

func (b *batchRun) loop(ctx context.Context, in *input) error {
	input := in.items
	timer := time.NewTimer(0)
	defer timer.Stop()
	stop, closing := b.o.Stop, b.m.inHand.closing
	for input != nil || b.known > 0 {
		b.wake()
		var (
			work  chan<- *task
			head  *task
			take  <-chan Item
			timed <-chan time.Time
		)
		if len(b.ready) > 0 {
			work, head = b.work, b.ready[0]
		}
		if b.known < b.limit {
			take = input
		}
		if wait, ok := b.pause(); ok {
			timer.Reset(wait)
			timed = timer.C
		}
		select {
		case work <- head:
			b.ready = b.ready[1:]
			b.inHand++
		case t := <-b.finished:
			b.inHand--
			b.settle(t)
		case item, ok := <-take:
			if !ok {
				input = nil
				if b.panicked = in.panicked; b.panicked != nil {
					b.halt(errors.New("the iterator over the items panicked"))
				}
				break
			}
			b.add(item)
		case <-timed:
			if b.stop != nil && b.known == 0 {
				return b.stop // the input gives no more
			}
		case <-stop:
			stop = nil
			b.halt(ErrStopped)
		case <-closing:
			closing = nil
			b.halt(ErrClosed)
		case <-ctx.Done():
			if b.stop == nil {
				b.halt(context.Cause(ctx))
			}
			ctx = context.WithoutCancel(ctx) // workers saw it; do not spin here
		}
	}
	return b.stop
}

// add takes in one item.
func (b *batchRun) add(item Item) {
	problem := item.problem()
	switch {
	case problem != nil:
		b.emit(Result{Item: item, Receipts: b.m.refuseItem(item, Invalid, problem)})
	case b.stop != nil:
		b.emit(Result{Item: item, Receipts: b.m.refuseItem(item, Deferred, notBegun(StageRead, b.stop))})
	default:
		t := &task{item: item}
		b.known++
		id := t.id()
		if queue, ok := b.busy[id]; ok {
			b.busy[id] = append(queue, t)
			return
		}
		b.busy[id] = nil
		b.ready = append(b.ready, t)
	}
}

// notBegun is for what a run that was stopped did not come to.
func notBegun(s Stage, cause error) *Error {
	return &Error{Stage: s, Code: CodeNotBegun, Temporary: true, Err: cause,
		Message: "the run stopped before it was the turn of this invite; fix what stopped it, if need be, and run again"}
}

// settle decides what follows a try: another one, or the result.
func (b *batchRun) settle(t *task) {
	now := b.m.cfg.Now()
	if e := stopping(t.receipts); e != nil {
		b.end(t)
		b.halt(e)
		return
	}
	again, asked := temporary(t.receipts)
	if !again {
		b.failingSince = time.Time{}
		b.end(t)
		return
	}
	if t.first.IsZero() {
		t.first = now
	}
	begins := b.failingSince.IsZero()
	if begins {
		b.failingSince = now
	}
	wait := max(asked, b.backoff(t.tries))
	until := t.first
	if b.failingSince.Before(until) {
		until = b.failingSince
	}
	if b.stop != nil || len(b.waiting) >= maxWaiting || now.Add(wait).After(until.Add(b.o.RetryFor)) {
		b.end(t)
		return
	}
	if begins {
		// Told once for all that fail: whoever watches must know what is waited for.
		b.m.log.Warn("a temporary failure: what it meets is tried again", "for", b.o.RetryFor.String(), "error", retried(t.receipts))
	}
	t.due = now.Add(wait)
	b.waiting = append(b.waiting, t)
}

// backoff is a random time up to a bound that doubles with each try, and at
// least half of it.
func (b *batchRun) backoff(tries int) time.Duration {
	return backoff.Backoff{First: firstBackoff, Max: maxBackoff}.Half(tries, b.o.Jitter())
}

// end lets a task go on to its next work. After the last it gives its result away
// and lets the next of its id begin.
func (b *batchRun) end(t *task) {
	if b.stop != nil {
		t.stop(b.m, b.stop)
	} else if t.next() {
		b.ready = append(b.ready, t)
		return
	}
	b.emit(Result{Item: t.item, Receipts: t.result()})
	b.known--
	id := t.id()
	queue := b.busy[id]
	if len(queue) == 0 {
		delete(b.busy, id)
		return
	}
	b.busy[id] = queue[1:]
	b.ready = append(b.ready, queue[0])
}

// wake moves tasks whose time has come to those that may begin.
func (b *batchRun) wake() {
	if len(b.waiting) == 0 {
		return
	}
	now := b.m.cfg.Now()
	rest := b.waiting[:0]
	for _, t := range b.waiting {
		if t.due.After(now) {
			rest = append(rest, t)
			continue
		}
		b.ready = append(b.ready, t)
	}
	clear(b.waiting[len(rest):])
	b.waiting = rest
}

// pause is how long nothing happens by itself.
func (b *batchRun) pause() (time.Duration, bool) {
	if b.stop != nil && b.known == 0 {
		return drainTimeout, true
	}
	if len(b.waiting) == 0 {
		return 0, false
	}
	next := b.waiting[0].due
	for _, t := range b.waiting[1:] {
		if t.due.Before(next) {
			next = t.due
		}
	}
	return next.Sub(b.m.cfg.Now()), true
}

// halt begins nothing new: what is under way is finished, what waits for another
// try keeps the outcome of its last one, the rest is deferred.
func (b *batchRun) halt(cause error) {
	if b.stop != nil {
		return
	}
	b.stop = cause
	b.run.stop(cause)
	held := slices.Concat(b.waiting, b.ready)
	for id, queue := range b.busy {
		held = append(held, queue...)
		b.busy[id] = nil
	}
	b.ready, b.waiting = nil, nil
	for _, t := range held {
		b.known--
		t.stop(b.m, cause)
		b.emit(Result{Item: t.item, Receipts: t.result()})
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

// temporary reports whether another try in this run makes sense, and the
// longest wait that a server asked for.
func temporary(receipts []Receipt) (again bool, asked time.Duration) {
	for _, r := range receipts {
		if r.Error == nil || r.Outcome != Deferred || !r.Error.Temporary || r.Error.StopsRun {
			continue
		}
		switch r.Error.Code {
		case CodeInProgress, CodeClaimLost, CodeMaxMails, CodeNotBegun, CodeCancelled:
			continue // not for this run
		}
		again = true
		asked = max(asked, r.Error.RetryAfter)
	}
	return again, asked
}

// retried is the first of the errors for which another try makes sense.
func retried(receipts []Receipt) error {
	for i, r := range receipts {
		if again, _ := temporary(receipts[i : i+1]); again {
			return r.Error
		}
	}
	return nil
}
