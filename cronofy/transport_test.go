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

// A host that cannot be reached is told as such to all who asked at the start,
// after one time-out and not one after another.
func TestNobodyWaitsLongerForTheFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{}) // a dial outlives who asked for it
		defer close(over)
		client := firsts(t, func(context.Context, string, string) (net.Conn, error) {
			<-over
			return nil, net.ErrClosed
		})
		begin := time.Now()
		var group sync.WaitGroup
		for range 5 {
			group.Go(func() {
				_, err := client.Create(t.Context(), documentedRequest())
				var failure *TransportError
				if assert.ErrorAs(t, err, &failure) {
					assert.True(t, failure.Dial)
					assert.ErrorIs(t, err, context.DeadlineExceeded)
				}
			})
		}
		group.Wait()
		assert.Equal(t, client.timeout, time.Since(begin))
	})
}

// When the first request comes to nothing, the others go on without it: each
// of them has its own say about the network.
func TestOthersFollowAFirstThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		dials, over := 0, make(chan struct{})
		defer close(over)
		client := firsts(t, func(context.Context, string, string) (net.Conn, error) {
			mu.Lock()
			dials++
			first := dials == 1
			mu.Unlock()
			if first {
				<-over
			}
			return nil, net.ErrClosed
		})
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			_, err := client.Create(ctx, documentedRequest())
			assert.ErrorIs(t, err, context.Canceled)
		})
		synctest.Wait()
		for range 3 {
			group.Go(func() {
				_, err := client.Create(t.Context(), documentedRequest())
				assert.Error(t, err)
			})
		}
		synctest.Wait()
		mu.Lock()
		assert.Equal(t, 1, dials, "the others wait for the first")
		mu.Unlock()
		cancel()
		group.Wait()
		assert.Equal(t, 4, dials)
	})
}

// firsts is a client with its own transport over a network of the test's.
func firsts(t *testing.T, dial func(ctx context.Context, network, address string) (net.Conn, error)) *Client {
	t.Helper()
	client, err := New(Config{APIKey: testKey, BaseURL: "https://example.com", MaxAttempts: 1})
	require.NoError(t, err)
	own, ok := client.http.Transport.(*pioneer)
	require.True(t, ok)
	own.transport.DialContext = dial
	own.transport.Proxy = nil // of the environment
	return client
}

// TestStopEndsWhatHasNoConnection: a stop finishes a request that is under way, and
// ends one that is still being connected, its wait for the first included.
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
