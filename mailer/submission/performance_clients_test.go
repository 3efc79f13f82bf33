package submission_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	netsmtp "net/smtp"
	"strconv"
	"testing"

	gosmtp "github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
	gomail "github.com/wneessen/go-mail"

	"github.com/invitemailer/invitemailer/mailer/submission"
)

// client is one way of submitting messages.
type client struct {
	name string
	// open returns so many senders, each for a goroutine of its own, with a
	// connection of its own or a share of as many.
	open func(b testing.TB, at server, n int) []sender
}

// server is where the messages go, and the way there.
type server struct {
	addr string
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

func (s server) connect(b testing.TB) net.Conn {
	b.Helper()
	conn, err := s.dial(b.Context(), "tcp", s.addr)
	require.NoError(b, err)
	return conn
}

// sender submits one message.
type sender func() error

// clients are all that are compared. The last two are no clients but limits:
// fixed bytes, written and read as fast as SMTP allows, nothing checked but the
// codes.
var clients = []client{
	{"ours", ours},
	{"go-mail", separately(goMail())},
	{"go-mail-WithoutNoop", separately(goMail(gomail.WithoutNoop()))},
	{"net-smtp", separately(netSMTP)},
	{"go-smtp", separately(goSMTP)},
	{"grouped-limit", separately(groupedLimit)},
	{"next-with-dot-limit", separately(nextWithDotLimit)},
}

// separately opens one connection after the other.
func separately(open func(b testing.TB, at server) sender) func(testing.TB, server, int) []sender {
	return func(b testing.TB, at server, n int) []sender {
		senders := make([]sender, n)
		for i := range senders {
			senders[i] = open(b, at)
		}
		return senders
	}
}

// ours is one Submitter, shared.
func ours(b testing.TB, at server, n int) []sender {
	b.Helper()
	host, port := split(b, at.addr)
	s, err := submission.New(submission.Config{Host: host, Port: port, TLS: submission.TLSNone,
		Connections: n, Dial: at.dial})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Shutdown(context.Background())) })
	senders := make([]sender, n)
	for i := range senders {
		senders[i] = func() error { return s.Submit(b.Context(), envelope, invitation).Err }
	}
	return senders
}

// goMail is one Client of go-mail for each connection, as it comes. Its message
// is as finished as its interface allows: one part, with a body that is written
// as it stands.
func goMail(options ...gomail.Option) func(testing.TB, server) sender {
	return func(b testing.TB, at server) sender {
		b.Helper()
		host, port := split(b, at.addr)
		c, err := gomail.NewClient(host, append([]gomail.Option{
			gomail.WithPort(port),
			gomail.WithTLSPolicy(
				gomail.NoTLS,
			),
			gomail.WithDialContextFunc(gomail.DialContextFunc(at.dial)),
		}, options...)...)
		require.NoError(b, err)
		require.NoError(b, c.DialWithContext(b.Context()))
		b.Cleanup(func() { _ = c.Close() })
		m := gomail.NewMsg(gomail.WithEncoding(gomail.NoEncoding))
		require.NoError(b, m.From(envelope.From))
		require.NoError(b, m.To(envelope.To))
		m.SetBodyWriter(gomail.TypeTextPlain, func(w io.Writer) (int64, error) {
			n, err := w.Write(invitation)
			return int64(n), err
		})
		return func() error { return c.Send(m) }
	}
}

func netSMTP(b testing.TB, at server) sender {
	b.Helper()
	c, err := netsmtp.NewClient(at.connect(b), "localhost")
	require.NoError(b, err)
	require.NoError(b, c.Hello("localhost"))
	b.Cleanup(func() { _ = c.Quit() })
	return func() error {
		if err := c.Mail(envelope.From); err != nil {
			return err
		}
		if err := c.Rcpt(envelope.To); err != nil {
			return err
		}
		w, err := c.Data()
		if err != nil {
			return err
		}
		if _, err := w.Write(invitation); err != nil {
			return err
		}
		return w.Close()
	}
}

func goSMTP(b testing.TB, at server) sender {
	b.Helper()
	c := gosmtp.NewClient(at.connect(b))
	require.NoError(b, c.Hello("localhost"))
	b.Cleanup(func() { _ = c.Quit() })
	return func() error {
		if err := c.Mail(envelope.From, nil); err != nil {
			return err
		}
		if err := c.Rcpt(envelope.To, nil); err != nil {
			return err
		}
		w, err := c.Data()
		if err != nil {
			return err
		}
		if _, err := w.Write(invitation); err != nil {
			return err
		}
		return w.Close()
	}
}

var (
	rawGroup   = []byte("MAIL FROM:<boss@example.com>\r\nRCPT TO:<guest@example.org>\r\nDATA\r\n")
	rawContent = append(invitation[:len(invitation):len(invitation)], ".\r\n"...)
	rawAhead   = append(rawContent[:len(rawContent):len(rawContent)], rawGroup...)
)

// groupedLimit is the fewest round trips that RFC 2920 lets a message have by
// itself: MAIL, RCPT and DATA in one write, the content and the dot in another.
func groupedLimit(b testing.TB, at server) sender {
	b.Helper()
	c := dialRaw(b, at)
	return func() error {
		if err := c.say(rawGroup, "250", "250", "354"); err != nil {
			return err
		}
		return c.say(rawContent, "250")
	}
}

// nextWithDotLimit sends the next message's group together with the dot, which
// needs a next message.
func nextWithDotLimit(b testing.TB, at server) sender {
	b.Helper()
	c := dialRaw(b, at)
	require.NoError(b, c.say(rawGroup, "250", "250", "354"))
	return func() error { return c.say(rawAhead, "250", "250", "250", "354") }
}

// rawClient writes bytes and reads codes.
type rawClient struct {
	conn net.Conn
	r    *bufio.Reader
}

// dialRaw returns a connection that has the greeting and EHLO behind it.
func dialRaw(b testing.TB, at server) *rawClient {
	b.Helper()
	conn := at.connect(b)
	b.Cleanup(func() { _ = conn.Close() })
	c := &rawClient{conn: conn, r: bufio.NewReader(conn)}
	require.NoError(b, c.say(nil, "220"))
	require.NoError(b, c.say([]byte("EHLO localhost\r\n"), "250"))
	return c
}

func (c *rawClient) say(text []byte, codes ...string) error {
	if _, err := c.conn.Write(text); err != nil {
		return err
	}
	for _, code := range codes {
		for more := true; more; {
			line, err := c.r.ReadSlice('\n')
			if err != nil {
				return err
			}
			if len(line) < 4 || string(line[:3]) != code {
				return fmt.Errorf("%q instead of %s", line, code)
			}
			more = line[3] == '-'
		}
	}
	return nil
}

func split(b testing.TB, addr string) (host string, port int) {
	b.Helper()
	host, text, err := net.SplitHostPort(addr)
	require.NoError(b, err)
	port, err = strconv.Atoi(text)
	require.NoError(b, err)
	return host, port
}
