package cronofy

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/window"
)

// One create with its answer, over a kept connection, server included.
func BenchmarkCreateOverLoopback(b *testing.B) {
	body := readTestdata(b, "create_response.json")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(body)
	}))
	defer server.Close()
	client, err := New(Config{APIKey: testKey, BaseURL: server.URL, RatePerSecond: -1, RatePerMinute: -1})
	require.NoError(b, err)
	defer client.Close()
	benchmarkCreate(b, client)
}

// benchmarkCreate counts allocations that are the same at each run, however
// short: a few creates before the first that counts fill the pools and caches.
func benchmarkCreate(b *testing.B, client *Client) {
	b.Helper()
	request := documentedRequest()
	n := 0
	create := func() {
		n++
		request.SmartInviteID = "invite-" + strconv.Itoa(n)
		if _, err := client.Create(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
	for range 100 {
		create()
	}
	b.ReportAllocs()
	for b.Loop() {
		create()
	}
}

// The limiter while it has nothing to hold back: what every request pays.
func BenchmarkLimiter(b *testing.B) {
	l := newLimiter(DefaultRatePerSecond, DefaultRatePerMinute)
	for i, limit := range []int{DefaultRatePerSecond, DefaultRatePerMinute} {
		l.windows[i] = window.New(limit, 0)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := l.begin(b.Context(), time.Second); err != nil {
			b.Fatal(err)
		}
		l.end()
	}
}

// The same with many who want to start at once.
func BenchmarkLimiterContended(b *testing.B) {
	l := newLimiter(-1, -1)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := l.begin(b.Context(), time.Second); err != nil {
				b.Error(err)
				return
			}
			l.end()
		}
	})
}

func BenchmarkDecodeAnswer(b *testing.B) {
	body := readTestdata(b, "create_response.json")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readInvite(&http.Response{Body: io.NopCloser(bytes.NewReader(body))}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyCallback(b *testing.B) {
	body := readTestdata(b, "callback.json")
	header := SignCallback(body, "another") + ", " + SignCallback(body, testKey)
	b.ReportAllocs()
	for b.Loop() {
		if err := VerifyCallback(body, header, testKey); err != nil {
			b.Fatal(err)
		}
	}
}
