package rsvp

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
)

const (
	atOnce      = 200
	loadInvites = 1500
	// childLedger makes this test's binary a server on the ledger at that path.
	childLedger = "INVITEMAILER_TEST_RSVP_LEDGER"
)

func loadKey(i int) ledger.Key {
	return ledger.Key{InviteID: fmt.Sprintf("interview-%04d", i), Address: fmt.Sprintf("somebody.%d@example.com", i)}
}

func inFile(t testing.TB, path string, invites int) *sqlite.Ledger {
	t.Helper()
	l, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Shutdown(context.Background())) })
	keys := make([]ledger.Key, 0, invites)
	for i := range invites {
		keys = append(keys, loadKey(i))
	}
	if invites > 0 {
		invite(t, l, false, keys...)
	}
	return l
}

// send posts signed bodies, many at a time, and tells which were answered with 200.
func send(t testing.TB, url string, bodies func(yield func(string) bool), answered func(body string, code int)) {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: atOnce}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	queue := make(chan string)
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for body := range queue {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
				if err != nil {
					t.Error(err)
					continue
				}
				r.Header.Set(cronofy.CallbackHeader, cronofy.SignCallback([]byte(body), secret))
				code := 0
				if response, err := client.Do(r); err == nil {
					code = response.StatusCode
					_ = response.Body.Close()
				}
				answered(body, code)
			}
		})
	}
	for body := range bodies {
		queue <- body
	}
	close(queue)
	group.Wait()
}

// Two hundred at once, six thousand in all: each is answered with 200, is in the
// ledger and with the application, once, and leaves nothing in memory.
func TestLoad(t *testing.T) {
	l := inFile(t, filepath.Join(t.TempDir(), "ledger.db"), loadInvites)
	var told atomic.Int64
	h := newHandler(t, Config{Store: l, OnChange: func(context.Context, Change) error {
		told.Add(1)
		return nil
	}})
	server := httptest.NewServer(h)
	defer server.Close()
	goroutines := runtime.NumGoroutine()
	heap := func() int64 {
		// Connections have buffers, which are not what is looked for; nor is what a
		// pool keeps, which two collections empty.
		for waited := 0; runtime.NumGoroutine() > goroutines; waited++ {
			require.Less(t, waited, 60_000, "the connections do not end")
			time.Sleep(time.Millisecond)
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc) //nolint:gosec // a heap is not that large
	}
	var sizes []int64
	for round := range 4 {
		var codes sync.Map
		send(t, server.URL, func(yield func(string) bool) {
			for i := range loadInvites {
				if !yield(answer(loadKey(i), "accepted", fmt.Sprintf("round %d", round))) {
					return
				}
			}
		}, func(body string, code int) { codes.Store(body, code) })
		n := 0
		codes.Range(func(_, code any) bool {
			n++
			return assert.Equal(t, 200, code)
		})
		require.Equal(t, loadInvites, n)
		sizes = append(sizes, heap())
	}
	assert.EqualValues(t, 4*loadInvites, told.Load())
	for i := range loadInvites {
		all := history(t, l, loadKey(i))
		require.Len(t, all, 4)
		for round, r := range all {
			require.Equal(t, fmt.Sprintf("round %d", round), r.Comment)
			require.True(t, r.Delivered)
		}
	}
	assert.Empty(t, h.(*Handler).recorder.locks.keys)
	t.Logf("heap after each round: %v", sizes)
	// Some 40 kB are what connections and pools left; a quarter of a kB kept of each callback
	// shows.
	assert.Less(t, sizes[3]-sizes[0], int64(1<<20), "4,500 more callbacks must not show: %v", sizes)
}

func serveUntilKilled(path string) int {
	l, err := sqlite.Open(context.Background(), sqlite.Options{Path: path})
	if err == nil {
		var h http.Handler
		if h, err = NewHandler(Config{
			Secrets: []string{secret}, Store: l, OnChange: func(context.Context, Change) error { return nil },
		}); err == nil {
			server := httptest.NewServer(h)
			fmt.Println(server.URL)
			select {}
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// What was answered with 200 is there after kill -9, at whatever point that came.
func TestKilledServerLosesNothingItAnswered(t *testing.T) {
	const invites = 600
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := inFile(t, path, invites)
	self, err := os.Executable()
	require.NoError(t, err)
	for round := range 3 {
		child := exec.CommandContext(t.Context(), self) //nolint:gosec // this very binary
		child.Env = append(os.Environ(), childLedger+"="+path)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		lines := bufio.NewScanner(out)
		require.True(t, lines.Scan())
		var (
			mu   sync.Mutex
			kept = make(map[string]bool)
		)
		comment := fmt.Sprintf("round %d", round)
		send(t, lines.Text(), func(yield func(string) bool) {
			for i := range invites {
				if !yield(answer(loadKey(i), "accepted", comment)) {
					return
				}
			}
		}, func(body string, code int) {
			mu.Lock()
			defer mu.Unlock()
			if code == 200 {
				kept[body] = true
			}
			if len(kept) == 50+70*round {
				assert.NoError(t, child.Process.Kill())
			}
		})
		require.Error(t, child.Wait(), "it was killed")
		require.GreaterOrEqual(t, len(kept), 50)
		require.Less(t, len(kept), invites)
		for i := range invites {
			if key := loadKey(i); kept[answer(key, "accepted", comment)] {
				all := history(t, l, key)
				require.NotEmpty(t, all)
				require.Equal(t, comment, all[len(all)-1].Comment)
				require.True(t, all[len(all)-1].Delivered)
			}
		}
	}
}
