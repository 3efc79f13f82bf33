package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// writeGrace is how long a write may still take once the command is to stop.
const writeGrace = time.Second

// errUnread is why a write was given up. What was written may come out later.
var errUnread = errors.New("nobody reads what is written")

// output is standard output or standard error. A pipe that is not read, or a terminal that was
// halted, takes nothing and reports nothing; no write to it may keep the command from stopping. A
// write that was given up goes on in the background, since nothing can break it off, and those that
// follow keep their order behind it.
type output struct {
	w       io.Writer
	stop    context.Context          // ends when the command is to stop
	turn    chan struct{}            // held by the write that is under way
	limit   atomic.Int64             // a time.Duration for each Write; 0 is none
	givenUp atomic.Pointer[oneWrite] // the last that was
}

// oneWrite may take for ever.
type oneWrite struct {
	n    int
	err  error
	done chan struct{} // closed when n and err are known
}

func newOutput(w io.Writer, stop context.Context) *output {
	return &output{w: w, stop: stop, turn: make(chan struct{}, 1)}
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	limit := time.Duration(o.limit.Load())
	if limit == 0 {
		return o.WriteContext(context.Background(), p)
	}
	if o.unread() {
		return 0, errUnread
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return o.WriteContext(ctx, p)
}

// giveUpAfter bounds each Write from now on, whether the command is to stop or not.
func (o *output) giveUpAfter(limit time.Duration) { o.limit.Store(int64(limit)) }

// WriteContext writes p, and gives up when ctx ends.
func (o *output) WriteContext(ctx context.Context, p []byte) (int, error) {
	if o.stop.Err() != nil && o.unread() {
		return 0, errUnread
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(o.stop, func() {
		select {
		case <-time.After(writeGrace):
			cancel()
		case <-ctx.Done():
		}
	})()
	select {
	case o.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, errUnread
	}
	write := &oneWrite{done: make(chan struct{})}
	p = bytes.Clone(p) // the caller may change it after the return
	go func() {
		write.n, write.err = o.w.Write(p)
		close(write.done)
		<-o.turn
	}()
	select {
	case <-write.done:
		return write.n, write.err
	case <-ctx.Done():
		o.givenUp.Store(write)
		return 0, errUnread
	}
}

// unread reports whether a write was given up and has not ended since.
func (o *output) unread() bool {
	write := o.givenUp.Load()
	if write == nil {
		return false
	}
	select {
	case <-write.done:
		return false
	default:
		return true
	}
}
