package smtptest_test

import (
	"bufio"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/invitemailer/invitemailer/internal/smtptest"
)

// No test may leave a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A conversation has exactly so many round trips, and takes exactly so much time.
func TestPathCountsRoundTrips(t *testing.T) {
	t.Parallel()
	const roundTrip = 20 * time.Millisecond
	for name, tc := range map[string]struct {
		script []string // what the client says, and how many replies it waits for then
		trips  int
	}{
		"nothing said":     {nil, 0},
		"one by one":       {[]string{mail + "1", rcpt + "1", data + "1", "content\r\n.\r\n1"}, 4},
		"a group":          {[]string{mail + rcpt + data + "3", "content\r\n.\r\n1"}, 2},
		"a group, in bits": {[]string{mail + "0", rcpt + "0", data + "3", "content\r\n0", ".\r\n1"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &smtptest.Server{}
				path := &smtptest.Path{Server: server.Dial, RoundTrip: roundTrip}
				client, err := path.Dial(t.Context(), "", "")
				require.NoError(t, err)
				r := bufio.NewReader(client)
				assert.Contains(t, hear(t, r), "220 ")
				begun := time.Now()
				for _, step := range tc.script {
					end := len(step) - 1
					say(t, client, step[:end])
					for range step[end] - '0' {
						hear(t, r)
					}
				}
				assert.Equal(t, time.Duration(tc.trips)*roundTrip, time.Since(begun))
				assert.Equal(t, tc.trips, path.RoundTrips())
				assert.Equal(t, 1, path.Conns())
				require.NoError(t, client.Close())
				require.NoError(t, server.Close())
			})
		})
	}
}

const (
	mail = "MAIL FROM:<boss@example.com>\r\n"
	rcpt = "RCPT TO:<guest@example.org>\r\n"
	data = "DATA\r\n"
)

// A server that is closed at once does not hang, and connects to nothing more.
func TestServerCloses(t *testing.T) {
	t.Parallel()
	server := &smtptest.Server{}
	require.NoError(t, server.Start())
	client, err := server.Dial(t.Context(), "", "")
	require.NoError(t, err)
	r := bufio.NewReader(client)
	assert.Contains(t, hear(t, r), "220 ")
	require.NoError(t, server.Close())
	require.NoError(t, server.Close())
	_, err = r.ReadString('\n')
	require.Error(t, err)
	_, err = server.Dial(t.Context(), "", "")
	require.Error(t, err)
	require.Error(t, server.Start())
	assert.False(t, strings.Contains(server.Addr().String(), "memory"))
}
