package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"

	"github.com/mailhog/data"
	"github.com/mailhog/smtp"
)

// maxLine bounds one line, content included, so that a client that never ends its
// line cannot fill the memory. Far above the 1,000 octets of RFC 5321 §4.5.3.1.6:
// whether a line is too long is for the tests to find, not for this server.
const maxLine = 1 << 20

// serveSMTP answers every connection to l in a goroutine of its own, until l closes.
func serveSMTP(l net.Listener, messages *mailbox) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return fmt.Errorf("accept an SMTP connection: %w", err)
		}
		go func() {
			defer func() { _ = conn.Close() }()
			converse(conn, messages)
		}()
	}
}

// converse feeds the lines of one connection to MailHog's protocol and writes its
// replies, until the client quits, goes away or sends a line over maxLine.
func converse(conn io.ReadWriter, messages *mailbox) {
	protocol := smtp.NewProtocol()
	protocol.LogHandler = func(string, ...any) {}
	protocol.MessageReceivedHandler = func(m *data.SMTPMessage) (string, error) {
		messages.mu.Lock()
		defer messages.mu.Unlock()
		return messages.memory.Store(m.Parse(protocol.Hostname))
	}
	// MailHog offers AUTH PLAIN and lets everybody in.
	protocol.GetAuthenticationMechanismsHandler = func() []string { return []string{"PLAIN"} }
	protocol.ValidateAuthenticationHandler = func(string, ...string) (*smtp.Reply, bool) { return nil, true }

	if !answer(conn, protocol.Start()) {
		return
	}
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, maxLine)
	lines.Split(splitCRLF)
	for lines.Scan() {
		_, reply := protocol.Parse(lines.Text() + "\r\n")
		if reply != nil && !answer(conn, reply) {
			return
		}
	}
}

// answer writes reply and reports whether the conversation goes on.
func answer(w io.Writer, reply *smtp.Reply) bool {
	for _, line := range reply.Lines() {
		if _, err := io.WriteString(w, line); err != nil {
			return false
		}
	}
	return reply.Status != 221 // the reply to QUIT, RFC 5321 §4.2.3
}

// splitCRLF is a [bufio.SplitFunc] for lines that end in CRLF and in nothing else: a bare LF
// belongs to the line (RFC 5321 §2.3.8). What follows the last CRLF is no line and is dropped.
func splitCRLF(buf []byte, _ bool) (advance int, token []byte, err error) {
	if i := bytes.Index(buf, []byte("\r\n")); i >= 0 {
		return i + 2, buf[:i], nil
	}
	return 0, nil, nil
}
