package cronofytest_test

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// BenchmarkCreate measures one new invite, from request to answer, without a network. kept-B/op is what an invite leaves in memory.
func BenchmarkCreate(b *testing.B) {
	s := cronofytest.New(cronofytest.Options{KeepRequests: -1})
	transport := s.Transport()
	head, tail, _ := strings.Cut(documented, id)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "https://api.cronofy.example/v1/smart_invites",
			strings.NewReader(head+strconv.Itoa(n)+tail))
		require.NoError(b, err)
		r.Header.Set("Authorization", "Bearer key")
		r.Header.Set("Content-Type", "application/json")
		response, err := transport.RoundTrip(r)
		require.NoError(b, err)
		require.Equal(b, http.StatusOK, response.StatusCode)
		_ = response.Body.Close()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric((float64(after.HeapAlloc)-float64(before.HeapAlloc))/float64(n), "kept-B/op")
	runtime.KeepAlive(s)
}
