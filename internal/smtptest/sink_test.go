package smtptest_test

import (
	"bufio"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/smtptest"
)

// newSink returns a started sink and a connection to it whose greeting and
// EHLO are over.
func newSink(t testing.TB) (*smtptest.Sink, net.Conn, *bufio.Reader) {
	t.Helper()
	sink := &smtptest.Sink{}
	require.NoError(t, sink.Start())
	t.Cleanup(func() { require.NoError(t, sink.Close()) })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", sink.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	r := bufio.NewReader(conn)
	say(t, conn, "EHLO localhost\r\n")
	assert.Equal(t, "220 localhost ESMTP", hear(t, r))
	for range 4 {
		assert.Contains(t, hear(t, r), "250-")
	}
	assert.Contains(t, hear(t, r), "250 SIZE ")
	return sink, conn, r
}

func say(t testing.TB, conn net.Conn, text string) {
	t.Helper()
	_, err := conn.Write([]byte(text))
	require.NoError(t, err)
}

func hear(t testing.TB, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSuffix(line, "\r\n")
}

const (
	group   = "MAIL FROM:<boss@example.com>\r\nRCPT TO:<guest@example.org>\r\nDATA\r\n"
	content = "Subject: Board meeting\r\n\r\nSee you there.\r\n..\r\n x.\r\n.\r\n"
)

// The sink takes a message in lock-step, in groups, and with the next group
// right behind the final dot; dots in the content do not end it.
func TestSinkTakesMessages(t *testing.T) {
	t.Parallel()
	sink, conn, r := newSink(t)
	for line := range strings.Lines(group) {
		say(t, conn, line)
		assert.Contains(t, hear(t, r), map[bool]string{true: "354 ", false: "250 "}[line == "DATA\r\n"])
	}
	say(t, conn, content+group)
	for _, code := range []string{"250 ", "250 ", "250 ", "354 "} {
		assert.Contains(t, hear(t, r), code)
	}
	long := strings.Repeat("x", 200_000) + ".\r\n"
	say(t, conn, long+content+"RSET\r\nNOOP\r\nXYZZY\r\nQUIT\r\n")
	for _, code := range []string{"250 ", "250 ", "250 ", "500 ", "221 "} {
		assert.Contains(t, hear(t, r), code)
	}
	assert.Equal(t, 2, sink.Messages())
}
