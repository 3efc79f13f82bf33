package smtptest

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
)

// conversation is a Server's side of one connection.
type conversation struct {
	server *Server
	number int
	raw    net.Conn // below TLS
	conn   net.Conn
	r      *bufio.Reader

	transaction *Transaction // nil outside of one
}

func (c *conversation) use(conn net.Conn) {
	c.conn = conn
	c.r = bufio.NewReader(conn)
}

// run talks until one side ends it.
func (c *conversation) run() {
	ok := c.answer(AtGreeting, "220 fault.example ESMTP")
	for ok {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		c.server.record(func() { c.server.commands = append(c.server.commands, line) })
		if waiting := c.r.Buffered(); waiting > 0 {
			switch c.server.Groups {
			case GroupsHangUp:
				return
			case GroupsOneCommand:
				_, _ = c.r.Discard(waiting) // it is there
			}
		}
		verb, arg, _ := strings.Cut(line, " ")
		ok = c.command(strings.ToUpper(verb), arg)
	}
}

// command handles one, and reports whether the conversation goes on.
func (c *conversation) command(verb, arg string) bool {
	switch verb {
	case "EHLO":
		c.transaction = nil
		_, secure := c.conn.(*tls.Conn)
		lines := c.server.extensions(secure)
		last := len(lines) - 1
		return c.answer(AtEHLO, "250-"+strings.Join(lines[:last], "\r\n250-")+"\r\n250 "+lines[last])
	case "HELO":
		return c.answer(AtEHLO, "250 fault.example")
	case "STARTTLS":
		return c.startTLS()
	case "AUTH":
		return c.answer(AtAuth, "235 2.7.0 Welcome") // whatever it is
	case "MAIL":
		return c.mail(arg)
	case "RCPT":
		return c.rcpt(arg)
	case "DATA":
		return c.data()
	case "RSET":
		c.transaction = nil
		return c.answer(AtRset, "250 2.0.0 Ok")
	case "NOOP":
		return c.answer(AtNoop, "250 2.0.0 Ok")
	case "QUIT":
		c.answer(AtQuit, "221 2.0.0 Bye")
		return false
	}
	return c.say("502 5.5.1 Not implemented", false)
}

func (c *conversation) startTLS() bool {
	if c.server.Certificate == nil {
		return c.say("502 5.5.1 Not implemented", false)
	}
	f := c.fault(AtSTARTTLS)
	if !c.misbehave(f, "220 2.0.0 Go ahead") || !f.answers("2") {
		return false
	}
	conn := tls.Server(c.conn, c.server.Certificate.TLS)
	if conn.HandshakeContext(context.Background()) != nil {
		return false
	}
	c.use(conn)
	return true
}

func (c *conversation) mail(arg string) bool {
	if c.transaction != nil {
		return c.say("503 5.5.1 Nested MAIL", false)
	}
	t := &Transaction{Conn: c.number, From: path(arg)}
	c.server.record(func() { c.server.transactions = append(c.server.transactions, t) })
	f := c.fault(AtMail)
	if f.answers("2") {
		c.transaction = t
	}
	return c.misbehave(f, "250 2.1.0 Ok")
}

func (c *conversation) rcpt(arg string) bool {
	if c.transaction == nil {
		return c.say("503 5.5.1 MAIL first", false)
	}
	f := c.fault(AtRcpt)
	if f.answers("2") {
		c.server.record(func() { c.transaction.To = path(arg) })
	}
	return c.misbehave(f, "250 2.1.5 Ok")
}

func (c *conversation) data() bool {
	if c.transaction == nil || c.transaction.To == "" {
		if !c.server.ContentWithoutRecipient {
			return c.say("503 5.5.1 RCPT first", false)
		}
		c.transaction = nil
		return c.say("354 Go ahead", false) && c.read(&Transaction{}, Fault{}) &&
			c.say("554 5.5.1 No valid recipients", false)
	}
	f := c.fault(AtData)
	if !c.misbehave(f, "354 Go ahead") {
		return false
	}
	return !f.answers("354") || c.content()
}

// content reads up to the final dot, and answers it.
func (c *conversation) content() bool {
	t := c.transaction
	inside := c.fault(AtContent)
	if !c.read(t, inside) {
		return false
	}
	c.transaction = nil
	f := c.fault(AtDot)
	c.server.record(func() {
		t.Complete = true
		refused := inside.Reply != "" ||
			!f.Answer && (strings.HasPrefix(f.Reply, "4") || strings.HasPrefix(f.Reply, "5"))
		t.Accepted = !f.Lost && !refused
	})
	if inside.Reply != "" {
		return true // it was the answer
	}
	return c.misbehave(f, "250 2.0.0 Ok: queued")
}

// read takes content, undoubling dots (RFC 5321 section 4.5.2), and reports whether it is
// complete. The fault inside may end it, at the end of the line in which its byte stands.
func (c *conversation) read(t *Transaction, inside Fault) (complete bool) {
	var data []byte
	defer func() { c.server.record(func() { t.Data = data }) }()
	size, struck := 0, inside.none()
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return false
		}
		size += len(line)
		if !struck && size >= inside.Bytes {
			struck = true
			if !c.misbehave(inside, "") {
				return false
			}
		}
		if line == ".\r\n" {
			return true
		}
		data = append(data, strings.TrimPrefix(line, ".")...)
	}
}

// fault asks the script.
func (c *conversation) fault(point Point) Fault {
	if c.server.Script == nil {
		return Fault{}
	}
	e := Event{Conn: c.number, Point: point}
	c.server.record(func() { e.Transaction = len(c.server.transactions) })
	return c.server.Script(e)
}

// answer gives the right answer unless the script has a fault at point. It reports whether
// the conversation goes on.
func (c *conversation) answer(point Point, right string) bool {
	return c.misbehave(c.fault(point), right)
}

func (c *conversation) misbehave(f Fault, right string) bool {
	if f.rightly() && right != "" && !c.say(right, f.OneByte) {
		return false
	}
	if f.Reply != "" && !c.say(f.Reply, f.OneByte) {
		return false
	}
	switch f.Then {
	case Close:
		_ = c.conn.Close()
	case Reset:
		c.raw.(*conn).reset()
	case Silence:
		_, _ = io.Copy(io.Discard, c.conn)
	case Deaf:
		<-c.server.open.Done()
	}
	return f.Then == Continue
}

func (c *conversation) say(lines string, oneByte bool) bool {
	if c.server.Groups == GroupsFlushed && (lines[0] == '4' || lines[0] == '5') {
		_, _ = c.r.Discard(c.r.Buffered()) // it is there
	}
	out := []byte(lines + "\r\n")
	size := len(out)
	if oneByte {
		size = 1
	}
	for ; len(out) > 0; out = out[min(size, len(out)):] {
		if _, err := c.conn.Write(out[:min(size, len(out))]); err != nil {
			return false
		}
	}
	return true
}

// path is what stands between the angle brackets.
func path(arg string) string {
	_, rest, _ := strings.Cut(arg, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}
