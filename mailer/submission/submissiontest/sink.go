package submissiontest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// Sink is an SMTP server that takes every message and keeps none of them: the
// other end for measurements, which must not be what limits them. It offers
// PIPELINING and 8BITMIME, answers a group of commands in one write, allocates
// nothing for a message, and checks nothing. The zero value is ready for Start.
type Sink struct {
	messages atomic.Int64
	open     openConns
	running  sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener
}

// What a sink says.
var (
	sinkGreeting = []byte("220 localhost ESMTP\r\n")
	sinkEHLO     = []byte("250-localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 104857600\r\n")
	sinkOK       = []byte("250 2.0.0 Ok\r\n")
	sinkData     = []byte("354 Go ahead\r\n")
	sinkBye      = []byte("221 2.0.0 Bye\r\n")
	sinkUnknown  = []byte("500 5.5.2 Unknown command\r\n")
)

// Start listens on a free port of 127.0.0.1; Addr tells which.
func (s *Sink) Start() error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		_ = l.Close()
		return errors.New("submissiontest: the sink was started before")
	}
	s.listener = l
	tracked := tracker{l, &s.open}
	s.running.Go(func() {
		for {
			conn, err := tracked.Accept()
			if err != nil {
				return
			}
			s.running.Go(func() { s.serve(conn) })
		}
	})
	return nil
}

// Addr is host:port of the started sink; empty before Start.
func (s *Sink) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Port is the port of the started sink; 0 before Start.
func (s *Sink) Port() int { return portOf(s.Addr()) }

// Messages is how many messages were taken so far.
func (s *Sink) Messages() int { return int(s.messages.Load()) }

// Close ends all connections, and waits until all goroutines have ended.
func (s *Sink) Close() error {
	s.mu.Lock()
	listener := s.listener
	s.mu.Unlock()
	if listener == nil {
		return nil
	}
	err := listener.Close()
	s.open.closeAll()
	s.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *Sink) serve(conn net.Conn) {
	defer conn.Close()
	r, w := bufio.NewReaderSize(conn, 64<<10), bufio.NewWriter(conn)
	_, _ = w.Write(sinkGreeting) // a bufio.Writer keeps its error until Flush
	for {
		if r.Buffered() == 0 && w.Flush() != nil {
			return
		}
		line, err := r.ReadSlice('\n')
		if err != nil || len(line) < 4 {
			return
		}
		answer, content, bye := sinkAnswer(line)
		_, _ = w.Write(answer)
		if content {
			if r.Buffered() == 0 && w.Flush() != nil || skipContent(r) != nil {
				return
			}
			s.messages.Add(1)
			_, _ = w.Write(sinkOK)
		}
		if bye {
			_ = w.Flush() // the client is leaving, whether it hears this or not
			return
		}
	}
}

// sinkAnswer is what a command is answered with, and whether content or the
// end follows.
func sinkAnswer(line []byte) (answer []byte, content, bye bool) {
	switch line[0] | 0x20 {
	case 'm', 'r', 'n': // MAIL, RCPT and RSET, NOOP
		return sinkOK, false, false
	case 'd':
		return sinkData, true, false
	case 'e', 'h':
		return sinkEHLO, false, false
	case 'q':
		return sinkBye, false, true
	}
	return sinkUnknown, false, false
}

var sinkDot = []byte(".\r\n")

// skipContent reads up to the final dot.
func skipContent(r *bufio.Reader) error {
	whole := true // the line began where the last one ended
	for {
		line, err := r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return errors.Join(err, io.ErrUnexpectedEOF)
		}
		if whole && bytes.Equal(line, sinkDot) {
			return nil
		}
		whole = err == nil
	}
}
