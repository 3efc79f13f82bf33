package smtptest

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
)

// Transaction is what a [Server] saw of one message.
type Transaction struct {
	Conn     int // which connection, from 1
	From, To string
	Data     []byte // the content received, dots undoubled
	Complete bool   // the final dot arrived
	Accepted bool   // the server took the message, whatever it answered
}

// Server is a line-based SMTP server that breaks where its script says, and otherwise is strict: a
// command out of order is refused. It reads ahead, so that a client may pipeline (RFC 2920). It
// speaks over memory (Dial), and over TCP once Start is called.
//
// The zero value behaves well. Set the fields before the first connection.
type Server struct {
	Listener

	// Script says what goes wrong. Nil: nothing.
	Script Script
	// Extensions are the lines of the EHLO reply. Default: PIPELINING, 8BITMIME,
	// ENHANCEDSTATUSCODES, SIZE 10485760. STARTTLS and AUTH are added where they apply.
	Extensions []string
	// Certificate makes the server offer STARTTLS.
	Certificate *Certificate
	// Mechanisms is what AUTH offers. Any login is good that comes with the command, as PLAIN does.
	Mechanisms []string
	// Groups is what the server makes of commands that came together, although it may offer
	// PIPELINING. Default: what it should.
	Groups Groups
	// ContentWithoutRecipient answers DATA with 354 when there is no recipient, and then refuses
	// the content.
	ContentWithoutRecipient bool

	once sync.Once

	mu           sync.Mutex
	conns        int
	commands     []string
	transactions []*Transaction
}

// Start listens on a free port of 127.0.0.1.
func (s *Server) Start() error {
	s.once.Do(func() { s.Serve(s.talk) })
	return s.Listener.Start()
}

// Dial connects without a port, whatever the address: it fits Config.Dial of package submission.
func (s *Server) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	s.once.Do(func() { s.Serve(s.talk) })
	return s.Listener.Dial(ctx, network, addr)
}

func (s *Server) talk(raw net.Conn) {
	defer raw.Close()
	s.mu.Lock()
	s.conns++
	c := &conversation{server: s, number: s.conns, raw: raw}
	s.mu.Unlock()
	c.use(raw)
	c.run()
}

// Conns is how many connections there have been.
func (s *Server) Conns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// Commands returns the command lines received so far, of all connections in the order of arrival,
// content left out.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

// Transactions returns what was seen so far, one for each MAIL.
func (s *Server) Transactions() []Transaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Transaction, len(s.transactions))
	for i, t := range s.transactions {
		all[i] = *t
	}
	return all
}

// Accepted returns the transactions that the server took.
func (s *Server) Accepted() []Transaction {
	return slices.DeleteFunc(s.Transactions(), func(t Transaction) bool { return !t.Accepted })
}

// record changes what others may be reading.
func (s *Server) record(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// extensions is the EHLO reply.
func (s *Server) extensions(secure bool) []string {
	lines := []string{"fault.example"}
	if s.Extensions == nil {
		lines = append(lines, "PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "SIZE 10485760")
	}
	lines = append(lines, s.Extensions...)
	if s.Certificate != nil && !secure {
		lines = append(lines, "STARTTLS")
	}
	if len(s.Mechanisms) > 0 {
		lines = append(lines, "AUTH "+strings.Join(s.Mechanisms, " "))
	}
	return lines
}
