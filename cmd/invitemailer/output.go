package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// writeGrace is how long a write may still take once the command is to stop.
const writeGrace = time.Second

// errUnread is why a write was given up. What was written may come out later.
var errUnread = errors.New("nobody reads what is written")

// output is standard output or standard error. A pipe that nobody reads, or a
// terminal that was halted, takes nothing and tells nobody; no write to it may keep
// the command from stopping. One that was given up goes on behind the scenes, since
// nothing can break it off, and those that follow keep their order behind it.
type output struct {
	w       io.Writer
	stopped context.Context // the command is to stop
	turn    chan struct{}   // held by the write that is under way

	mu    sync.Mutex
	stuck bool // the write that is under way was given up
	limit time.Duration
}

func newOutput(w io.Writer, s *stopper) *output {
	return &output{w: w, stopped: s.ctx, turn: make(chan struct{}, 1)}
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	stuck, limit := o.stuck, o.limit
	o.mu.Unlock()
	if limit == 0 {
		return o.WriteContext(context.Background(), p)
	}
	if stuck {
		return 0, errUnread
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return o.WriteContext(ctx, p)
}

// giveUpAfter bounds each Write from now on, whether the command is to stop or not.
func (o *output) giveUpAfter(limit time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.limit = limit
}

// WriteContext writes p, and gives up when ctx ends.
func (o *output) WriteContext(ctx context.Context, p []byte) (int, error) {
	if o.stopped.Err() != nil && o.unread() {
		return 0, errUnread
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(o.stopped, func() {
		timer := time.NewTimer(writeGrace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-ctx.Done():
		}
	})()
	select {
	case o.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, errUnread
	}
	w := &write{p: bytes.Clone(p), done: make(chan struct{})}
	go o.do(w)
	select {
	case <-w.done:
	case <-ctx.Done():
		if o.giveUp(w) {
			return 0, errUnread
		}
	}
	return w.n, w.err
}

// unread reports whether a write was given up and has not ended since.
func (o *output) unread() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stuck
}

// write is one write, which may take for ever.
type write struct {
	p    []byte
	n    int
	err  error
	done chan struct{}
}

func (o *output) do(w *write) {
	w.n, w.err = o.w.Write(w.p)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stuck = false
	close(w.done)
	<-o.turn
}

// giveUp reports whether w is still under way.
func (o *output) giveUp(w *write) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case <-w.done:
		return false
	default:
		o.stuck = true
		return true
	}
}
