package cronofy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/softstop"
)

// TestStopEndsWhatHasNoConnection: a stop finishes a request that is under way, and
// ends one that is still being connected.
func TestStopEndsWhatHasNoConnection(t *testing.T) {
	t.Parallel()
	cause := errors.New("the run was stopped")
	t.Run("connecting", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			over := make(chan struct{})
			defer close(over)
			client := firsts(t, func(context.Context, string, string) (net.Conn, error) {
				<-over
				return nil, net.ErrClosed
			})
			stop, halt := context.WithCancelCause(t.Context())
			ctx, begin := softstop.With(t.Context(), stop), time.Now()
			time.AfterFunc(time.Second, func() { halt(cause) })
			var group sync.WaitGroup
			for range 3 {
				group.Go(func() {
					_, err := client.Create(ctx, documentedRequest())
					assert.ErrorIs(t, err, cause)
					assert.ErrorContains(t, err, "was not sent")
				})
			}
			group.Wait()
			assert.Equal(t, time.Second, time.Since(begin))
		})
	})
	t.Run("connected", func(t *testing.T) {
		t.Parallel()
		stop, halt := context.WithCancelCause(t.Context())
		client := setup(t, func(w http.ResponseWriter, _ *http.Request) {
			halt(cause)
			_, _ = io.WriteString(w, `{"attachments":{"icalendar":"BEGIN:VCALENDAR"}}`)
		})
		_, err := client.Create(softstop.With(t.Context(), stop), documentedRequest())
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
