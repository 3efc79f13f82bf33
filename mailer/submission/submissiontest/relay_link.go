package submissiontest

import (
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	relayPieces = 1024     // on their way at most, in each direction
	relayPiece  = 64 << 10 // bytes read at once
)

// link is one connection through a [Relay]: two delay lines, one each way.
type link struct {
	there, back *delayLine
	trips       trips

	mu    sync.Mutex
	over  chan struct{} // closed when nothing moves any more
	ended int           // directions
}

// delayLine takes what arrives at one end to the other, later.
type delayLine struct {
	from, to net.Conn
	delay    time.Duration
	arrived  func() // bytes are there
	leaving  func() // bytes are about to be handed over
	onTheWay chan piece
	ended    chan struct{} // closed when nothing more will be handed over
}

// piece is what was read at once, or how the reading ended.
type piece struct {
	data []byte
	end  ending
	due  time.Time
}

type ending int

const (
	goesOn ending = iota
	endOfStream
	connectionReset
)

func newLink(client, server net.Conn, roundTrip time.Duration) *link {
	l := &link{over: make(chan struct{}), trips: trips{answered: true}}
	line := func(from, to net.Conn, delay time.Duration, arrived, leaving func()) *delayLine {
		return &delayLine{from: from, to: to, delay: delay, arrived: arrived, leaving: leaving,
			onTheWay: make(chan piece, relayPieces), ended: make(chan struct{})}
	}
	nothing := func() {}
	// Timers of whole milliseconds are kept best.
	half := (roundTrip / 2).Truncate(time.Millisecond)
	l.there = line(client, server, half, l.trips.asked, nothing)
	l.back = line(server, client, roundTrip-half, nothing, l.trips.answer)
	return l
}

// run starts the goroutines. They end when both directions have ended, or with
// finish.
func (l *link) run(running *sync.WaitGroup) {
	running.Go(func() { l.take(l.there) })
	running.Go(func() { l.take(l.back) })
	running.Go(func() { l.hand(l.there, l.back) })
	running.Go(func() { l.hand(l.back, l.there) })
}

// abort ends the link at once, and both sides see an error.
func (l *link) abort() { l.finish(reset) }

func (l *link) finish(how func(net.Conn)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.over:
	default:
		close(l.over)
		how(l.there.from)
		how(l.there.to)
	}
}

// take reads what arrives.
func (l *link) take(d *delayLine) {
	buffer := make([]byte, relayPiece)
	for {
		n, err := d.from.Read(buffer)
		due := time.Now().Add(d.delay)
		if n > 0 {
			d.arrived()
			if !l.send(d, piece{data: slices.Clone(buffer[:n]), due: due}) {
				return
			}
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, io.EOF):
			l.send(d, piece{end: endOfStream, due: due})
		default:
			l.send(d, piece{end: connectionReset, due: due})
		}
		return
	}
}

// send puts a piece on its way, unless the line or the link has ended.
func (l *link) send(d *delayLine, p piece) bool {
	select {
	case d.onTheWay <- p:
		return true
	case <-d.ended:
		return false
	case <-l.over:
		return false
	}
}

// hand writes what is due. When nobody takes it, that news goes the other way.
func (l *link) hand(d, other *delayLine) {
	defer l.end(d)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var p piece
		select {
		case p = <-d.onTheWay:
		case <-l.over:
			return
		}
		if wait := time.Until(p.due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-l.over:
				return
			}
		}
		switch p.end {
		case goesOn:
			d.leaving()
			if _, err := d.to.Write(p.data); err != nil {
				l.send(other, piece{end: connectionReset, due: time.Now().Add(other.delay)})
				return
			}
		case endOfStream:
			closeWrite(d.to)
			return
		case connectionReset:
			l.abort()
			return
		}
	}
}

// end marks one direction as ended. With the second, all that was handed over
// is left to arrive.
func (l *link) end(d *delayLine) {
	close(d.ended)
	l.mu.Lock()
	l.ended++
	both := l.ended == 2
	l.mu.Unlock()
	if both {
		l.finish(func(c net.Conn) { _ = c.Close() })
	}
}

// closeWrite says that nothing more comes. What has no half-close, such as a
// net.Pipe, is closed.
func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = c.Close()
}

// trips counts the round trips of one connection.
type trips struct {
	mu       sync.Mutex
	n        int
	answered bool // since the client spoke last; true before its first word
}

func (t *trips) asked() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.answered {
		t.n++
		t.answered = false
	}
}

func (t *trips) answer() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answered = true
}

func (t *trips) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}
