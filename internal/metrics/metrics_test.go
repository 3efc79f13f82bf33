package metrics_test

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/invitemailer/invitemailer/internal/metrics"
)

func told(t *testing.T, s *metrics.Set) string {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	assert.Equal(t, metrics.ContentType, w.Header().Get("Content-Type"))
	return w.Body.String()
}

// The whole text, so that any change of the format is seen.
func TestTextFormat(t *testing.T) {
	t.Parallel()
	var s metrics.Set
	c := s.Counter("requests_total", "Requests\nof \\ all.", "listener", "code")
	c.Add(1, "public", "200")
	c.Add(2, "admin", "404")
	c.Add(1, "public", "200")
	c.Add(1, "a\"b\\c\nd", "")
	s.Counter("failures_total", "Failures.")
	s.Gauge("in_flight", "Now.", func() float64 { return 3 })
	assert.Equal(t, `# HELP requests_total Requests\nof \\ all.
# TYPE requests_total counter
requests_total{listener="a\"b\\c\nd",code=""} 1
requests_total{listener="admin",code="404"} 2
requests_total{listener="public",code="200"} 2
# HELP failures_total Failures.
# TYPE failures_total counter
failures_total 0
# HELP in_flight Now.
# TYPE in_flight gauge
in_flight 3
`, told(t, &s))
}

// Buckets are cumulative, and a bound belongs to its bucket.
func TestHistogram(t *testing.T) {
	t.Parallel()
	var s metrics.Set
	h := s.Histogram("took_seconds", "How long.", "outcome")
	for _, d := range []time.Duration{time.Millisecond, 1500 * time.Microsecond, 5 * time.Second, time.Minute} {
		h.Observe(d, "done")
	}
	text := told(t, &s)
	assert.Contains(t, text, `took_seconds_bucket{outcome="done",le="0.001"} 1`+"\n")
	assert.Contains(t, text, `took_seconds_bucket{outcome="done",le="0.0025"} 2`+"\n")
	assert.Contains(t, text, `took_seconds_bucket{outcome="done",le="5"} 3`+"\n")
	assert.Contains(t, text, `took_seconds_bucket{outcome="done",le="+Inf"} 4`+"\n")
	assert.Contains(t, text, `took_seconds_sum{outcome="done"} 65.0025`+"\n")
	assert.Contains(t, text, `took_seconds_count{outcome="done"} 4`+"\n")
	assert.Equal(t, len(metrics.Buckets())+5, strings.Count(text, "\n"))
}

// Nothing is lost between many that count at once.
func TestConcurrentCounts(t *testing.T) {
	t.Parallel()
	var s metrics.Set
	c, h := s.Counter("n_total", "N."), s.Histogram("t_seconds", "T.")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 100 {
				c.Add(1)
				h.Observe(time.Millisecond)
			}
		})
	}
	wg.Wait()
	text := told(t, &s)
	assert.Contains(t, text, "n_total 2000\n")
	assert.Contains(t, text, "t_seconds_count 2000\n")
}

func BenchmarkObserve(b *testing.B) {
	var s metrics.Set
	h := s.Histogram("t_seconds", "T.", "outcome")
	b.ReportAllocs()
	for b.Loop() {
		h.Observe(3*time.Millisecond, "recorded")
	}
}
