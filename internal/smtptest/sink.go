package smtptest

import (
	"bufio"
	"io"
	"net"
	"net/textproto"
	"sync"
	"sync/atomic"
)

// Sink is an SMTP server that takes every message and keeps none of them: the other end for
// measurements, which must not be what limits them. It offers PIPELINING and 8BITMIME,
// answers a group of commands in one write, and checks nothing. The zero value is ready.
type Sink struct {
	Listener

	messages atomic.Int64
	once     sync.Once
}

// Start listens on a free port of 127.0.0.1.
func (s *Sink) Start() error {
	s.once.Do(func() { s.Serve(s.talk) })
	return s.Listener.Start()
}

// Messages is how many messages were taken so far.
func (s *Sink) Messages() int { return int(s.messages.Load()) }

// sinkReplies are the replies to commands, by their first letter in upper case.
var sinkReplies = map[byte]string{
	'E': "250-localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n" +
		"250 SIZE 104857600\r\n",
	'H': "250 localhost\r\n",
	'M': "250 2.0.0 Ok\r\n",
	'R': "250 2.0.0 Ok\r\n",
	'N': "250 2.0.0 Ok\r\n",
	'D': "354 Go ahead\r\n",
	'Q': "221 2.0.0 Bye\r\n",
}

func (s *Sink) talk(conn net.Conn) {
	defer conn.Close()
	r, w := bufio.NewReaderSize(conn, 64<<10), bufio.NewWriter(conn)
	flush := func() error {
		if r.Buffered() > 0 {
			return nil // more commands of the same group
		}
		return w.Flush()
	}
	_, _ = w.WriteString("220 localhost ESMTP\r\n") // a bufio.Writer keeps its error until Flush
	for flush() == nil {
		line, err := r.ReadSlice('\n')
		if err != nil || len(line) < 4 {
			return
		}
		command := line[0] &^ 0x20
		reply, ok := sinkReplies[command]
		if !ok {
			reply = "500 5.5.2 Unknown command\r\n"
		}
		_, _ = w.WriteString(reply)
		switch command {
		case 'D':
			if flush() != nil {
				return
			}
			if _, err := io.Copy(io.Discard, textproto.NewReader(r).DotReader()); err != nil {
				return
			}
			s.messages.Add(1)
			_, _ = w.WriteString("250 2.0.0 Ok\r\n")
		case 'Q':
			_ = w.Flush() // the client is leaving, whether it reads this or not
			return
		}
	}
}
