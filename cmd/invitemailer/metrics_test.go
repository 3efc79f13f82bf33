package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMetrics holds the names, the labels and the bounds: dashboards and alerts are
// written against them.
func TestMetrics(t *testing.T) {
	t.Parallel()
	m := newMetrics()
	m.callback("recorded", 4*time.Millisecond)
	m.callback("recorded", 5*time.Second)
	for _, status := range []string{"pending", "accepted", "tentative", "declined", "delegated", "ann@example.org"} {
		m.changed(status)
	}
	for server, answer := range map[string]http.HandlerFunc{"callback": func(http.ResponseWriter, *http.Request) {},
		"admin": http.NotFound} {
		m.counting(server, answer).ServeHTTP(httptest.NewRecorder(),
			httptest.NewRequestWithContext(t.Context(), "BREW", "/", nil))
	}

	require.NoError(t, testutil.GatherAndCompare(m.registry, strings.NewReader(`
# HELP invitemailer_callback_duration_seconds Time from a callback to its answer.
# TYPE invitemailer_callback_duration_seconds histogram
invitemailer_callback_duration_seconds_bucket{outcome="recorded",le="0.001"} 0
invitemailer_callback_duration_seconds_bucket{outcome="recorded",le="0.0025"} 0
invitemailer_callback_duration_seconds_bucket{outcome="recorded",le="0.005"} 1
invitemailer_callback_duration_seconds_bucket{outcome="recorded",le="0.01"} 1
invitemailer_callback_duration_seconds_bucket{outcome="recorded",le="0.025"} 1
invitemailer_callback_duration_seconds_bucket{outcome="recorded",le="0.05"} 1
invitemailer_callback_duration_seconds_bucket{outcome="recorded",le="0.1"} 1
invitemailer_callback_duration_seconds_bucket{outcome="recorded",le="0.25"} 1
invitemailer_callback_duration_seconds_bucket{outcome="recorded",le="0.5"} 1
invitemailer_callback_duration_seconds_bucket{outcome="recorded",le="1"} 1
invitemailer_callback_duration_seconds_bucket{outcome="recorded",le="2.5"} 1
invitemailer_callback_duration_seconds_bucket{outcome="recorded",le="5"} 2
invitemailer_callback_duration_seconds_bucket{outcome="recorded",le="+Inf"} 2
invitemailer_callback_duration_seconds_sum{outcome="recorded"} 5.004
invitemailer_callback_duration_seconds_count{outcome="recorded"} 2
# HELP invitemailer_callbacks_total Callbacks by how they ended.
# TYPE invitemailer_callbacks_total counter
invitemailer_callbacks_total{outcome="recorded"} 2
# HELP invitemailer_http_requests_total Requests answered.
# TYPE invitemailer_http_requests_total counter
invitemailer_http_requests_total{code="200",server="callback"} 1
invitemailer_http_requests_total{code="404",server="admin"} 1
# HELP invitemailer_rsvp_changes_total Changes of answers, by the status of the person invited.
# TYPE invitemailer_rsvp_changes_total counter
invitemailer_rsvp_changes_total{status="accepted"} 1
invitemailer_rsvp_changes_total{status="declined"} 1
invitemailer_rsvp_changes_total{status="other"} 2
invitemailer_rsvp_changes_total{status="pending"} 1
invitemailer_rsvp_changes_total{status="tentative"} 1
`), "invitemailer_callback_duration_seconds", "invitemailer_callbacks_total",
		"invitemailer_http_requests_total", "invitemailer_rsvp_changes_total"))

	problems, err := testutil.GatherAndLint(m.registry)
	require.NoError(t, err)
	assert.Empty(t, problems, "names follow the conventions")
}

// TestMetricsPage: what is told of every process is told of this one.
func TestMetricsPage(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	newMetrics().page().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", w.Header().Get("Content-Type"))
	for _, name := range []string{"go_goroutines", "go_info", "process_start_time_seconds"} {
		assert.Contains(t, w.Body.String(), "\n"+name)
	}
}
