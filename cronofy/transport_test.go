package cronofy

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStopEndsWhatHasNoConnection: a stop finishes a request that is under way, and
// ends one that is still being connected.
func TestStopEndsWhatHasNoConnection(t *testing.T) {
	t.Parallel()
	t.Run("connecting", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			over := make(chan struct{})
			defer close(over)
			client := firsts(t, func(context.Context, string, string) (net.Conn, error) {
				<-over
				return nil, net.ErrClosed
			})
			stop, begin := make(chan struct{}), time.Now()
			client = client.Until(stop)
			time.AfterFunc(time.Second, func() { close(stop) })
			var group sync.WaitGroup
			for range 3 {
				group.Go(func() {
					_, err := client.Create(t.Context(), documentedRequest())
					assert.ErrorIs(t, err, ErrStopped)
					assert.ErrorContains(t, err, "was not sent")
				})
			}
			group.Wait()
			assert.Equal(t, time.Second, time.Since(begin))
		})
	})
	t.Run("connected", func(t *testing.T) {
		t.Parallel()
		stop := make(chan struct{})
		client := setup(t, func(w http.ResponseWriter, _ *http.Request) {
			close(stop)
			_, _ = io.WriteString(w, `{"attachments":{"icalendar":"BEGIN:VCALENDAR"}}`)
		})
		_, err := client.Until(stop).Create(t.Context(), documentedRequest())
		require.NoError(t, err)
	})
}

// firsts is a client with its own transport over a network of the test's.
func firsts(t *testing.T, dial func(ctx context.Context, network, address string) (net.Conn, error)) *Client {
	t.Helper()
	client, err := New(Config{APIKey: testKey, BaseURL: "https://example.com", MaxAttempts: 1})
	require.NoError(t, err)
	own, ok := client.http.Transport.(*http.Transport)
	require.True(t, ok)
	own.DialContext = dial
	own.Proxy = nil // of the environment
	return client
}
