package submissiontest

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
)

// Transaction is what a [FaultServer] saw of one message.
type Transaction struct {
	Conn     int // which connection, from 1
	From, To string
	Data     []byte // the content received, dots undoubled
	Complete bool   // the final dot arrived
	Accepted bool   // the server took the message, whatever it answered
}

// FaultServer is a line-based SMTP server that breaks where its script says,
// and otherwise is strict: a command out of order is refused. It reads ahead,
// so that a client may pipeline (RFC 2920).
//
// The zero value behaves well. Set the fields before the first connection.
type FaultServer struct {
	// Script says what goes wrong. Nil: nothing.
	Script Script
	// Extensions are the lines of the EHLO reply. Default: PIPELINING,
	// 8BITMIME, ENHANCEDSTATUSCODES, SIZE 10485760. STARTTLS and AUTH are
	// added where they apply.
	Extensions []string
	// Certificate makes the server offer STARTTLS.
	Certificate *Certificate
	// Mechanisms is what AUTH offers, of PLAIN and LOGIN. Any login is good.
	Mechanisms []string

	// Groups is what the server makes of commands that came together, although
	// it may offer PIPELINING. Default: what it should.
	Groups Groups
	// MaxConns is how many connections may be open at once: the others are
	// greeted with 421 and closed. 0 is no limit.
	MaxConns int
	// ContentForNobody answers DATA with 354 when nobody is to have the content,
	// and then refuses that.
	ContentForNobody bool

	setup   sync.Once
	done    chan struct{} // closed by Close
	memory  *pipeListener
	open    openConns
	serving sync.WaitGroup

	mu           sync.Mutex
	listeners    []net.Listener
	closed       bool
	addr         string
	conns        int
	talking      int // connections that are open
	most         int // of them at once
	commands     []string
	transactions []*Transaction
}

// Start listens on a free port of 127.0.0.1; Addr tells which.
func (s *FaultServer) Start() error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.addr = l.Addr().String()
	s.mu.Unlock()
	s.serve(l)
	return nil
}

// Dial connects without a port, whatever the address: it fits Config.Dial of
// package submission.
func (s *FaultServer) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	s.setup.Do(func() {
		s.memory = newPipeListener()
		s.serve(s.memory)
	})
	return s.memory.Dial(ctx, network, addr)
}

func (s *FaultServer) serve(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = l.Close()
		return
	}
	s.listeners = append(s.listeners, l)
	s.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.serving.Go(func() { s.talk(conn) })
		}
	})
}

func (s *FaultServer) talk(raw net.Conn) {
	s.mu.Lock()
	s.conns++
	number := s.conns
	full := s.MaxConns > 0 && s.talking >= s.MaxConns
	if !full {
		s.talking++
		s.most = max(s.most, s.talking)
	}
	s.mu.Unlock()
	conn := s.open.add(raw)
	c := &conversation{server: s, number: number, raw: raw}
	c.use(conn)
	if full {
		c.say("421 4.7.0 Too many connections", false)
		_ = conn.Close()
		return
	}
	c.run()
	_ = conn.Close()
	s.mu.Lock()
	s.talking--
	s.mu.Unlock()
}

// Close ends all connections, and waits until all goroutines have ended.
func (s *FaultServer) Close() error {
	s.mu.Lock()
	if !s.closed {
		close(s.stopping())
	}
	s.closed = true
	listeners := s.listeners
	s.listeners = nil
	s.mu.Unlock()
	var err error
	for _, l := range listeners {
		err = errors.Join(err, l.Close())
	}
	s.open.closeAll()
	s.serving.Wait()
	return err
}

// stopping is closed when the server is. The caller holds the lock.
func (s *FaultServer) stopping() chan struct{} {
	if s.done == nil {
		s.done = make(chan struct{})
	}
	return s.done
}

// MostConns is how many connections were open at once, those that were refused
// left out.
func (s *FaultServer) MostConns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// Addr is host:port of the started server; empty before Start.
func (s *FaultServer) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// Port is the port of the started server; 0 before Start.
func (s *FaultServer) Port() int { return portOf(s.Addr()) }

// Conns is how many connections there have been.
func (s *FaultServer) Conns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// Commands returns the command lines received so far, of all connections in
// the order of arrival, content left out.
func (s *FaultServer) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

// Transactions returns what was seen so far, one for each MAIL.
func (s *FaultServer) Transactions() []Transaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Transaction, len(s.transactions))
	for i, t := range s.transactions {
		all[i] = *t
		all[i].Data = slices.Clone(t.Data)
	}
	return all
}

// Accepted returns the transactions that the server took.
func (s *FaultServer) Accepted() []Transaction {
	return slices.DeleteFunc(s.Transactions(), func(t Transaction) bool { return !t.Accepted })
}

// begin records the start of a transaction.
func (s *FaultServer) begin(conn int) *Transaction {
	t := &Transaction{Conn: conn}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transactions = append(s.transactions, t)
	return t
}

// record changes a transaction where others may be reading it.
func (s *FaultServer) record(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *FaultServer) heard(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, line)
}

// fault asks the script.
func (s *FaultServer) fault(conn int, point Point) Fault {
	if s.Script == nil {
		return Fault{}
	}
	s.mu.Lock()
	e := Event{Conn: conn, Transaction: len(s.transactions), Point: point}
	s.mu.Unlock()
	return s.Script(e)
}

// extensions is the EHLO reply.
func (s *FaultServer) extensions(secure bool) []string {
	lines := []string{"fault.example"}
	if s.Extensions == nil {
		lines = append(lines, "PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "SIZE 10485760")
	}
	lines = append(lines, s.Extensions...)
	if s.Certificate != nil && !secure {
		lines = append(lines, "STARTTLS")
	}
	if len(s.Mechanisms) > 0 {
		line := "AUTH"
		for _, m := range s.Mechanisms {
			line += " " + m
		}
		lines = append(lines, line)
	}
	return lines
}

// reset closes with a TCP reset where there is TCP.
func reset(raw net.Conn) {
	if t, ok := raw.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // fails on a closed connection only
	}
	_ = raw.Close()
}
