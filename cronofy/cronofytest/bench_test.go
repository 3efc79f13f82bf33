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

// BenchmarkCreate measures one new invite, from request to answer, without a network, beside that
// many others: what it costs must not depend on them. kept-B/op is what an invite leaves in
// memory.
func BenchmarkCreate(b *testing.B) {
	for _, held := range []int{1_000, 100_000} {
		b.Run("invites="+strconv.Itoa(held), func(b *testing.B) {
			api := cronofytest.New(cronofytest.Options{})
			transport := api.Transport()
			head, tail, _ := strings.Cut(documented, id)
			n := 0
			create := func() {
				n++
				r, err := http.NewRequestWithContext(
					b.Context(),
					http.MethodPost,
					"https://api.cronofy.example/v1/smart_invites",
					strings.NewReader(head+strconv.Itoa(n)+tail),
				)
				require.NoError(b, err)
				r.Header.Set("Authorization", "Bearer key")
				r.Header.Set("Content-Type", "application/json")
				response, err := transport.RoundTrip(r)
				require.NoError(b, err)
				require.Equal(b, http.StatusOK, response.StatusCode)
				_ = response.Body.Close()
			}
			const warm = 100 // fills the pools and caches
			create()
			api.Fill(held - warm)
			for range warm - 1 {
				create()
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			b.ReportAllocs()
			for b.Loop() {
				create()
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric((float64(after.HeapAlloc)-float64(before.HeapAlloc))/float64(n-warm), "kept-B/op")
			runtime.KeepAlive(api)
		})
	}
}
