package main

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// metrics are those of serve and its process. No label holds an address or what a request brought.
type metrics struct {
	registry  *prometheus.Registry
	callbacks *prometheus.CounterVec
	durations *prometheus.HistogramVec
	changes   *prometheus.CounterVec
	requests  *prometheus.CounterVec
}

func newMetrics() *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		o := prometheus.CounterOpts{Namespace: "invitemailer", Name: name, Help: help}
		return prometheus.NewCounterVec(o, labels)
	}
	m := &metrics{
		registry:  prometheus.NewRegistry(),
		callbacks: counter("callbacks_total", "Callbacks by how they ended.", "outcome"),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "invitemailer", Name: "callback_duration_seconds", Help: "Time from a callback to its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}, // the API waits five
		}, []string{"outcome"}),
		changes:  counter("rsvp_changes_total", "Changes of answers, by the status of the person invited.", "status"),
		requests: counter("http_requests_total", "Requests answered.", "server", "code"),
	}
	m.registry.MustRegister(m.callbacks, m.durations, m.changes, m.requests,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// callback is for rsvp.Config.Observe.
func (m *metrics) callback(outcome string, took time.Duration) {
	m.callbacks.WithLabelValues(outcome).Inc()
	m.durations.WithLabelValues(outcome).Observe(took.Seconds())
}

// changed counts a change. Unknown statuses count as one: what comes from outside makes no metric.
func (m *metrics) changed(status string) {
	switch status {
	case ledger.StatusPending, "accepted", "tentative", "declined":
	default:
		status = "other"
	}
	m.changes.WithLabelValues(status).Inc()
}

// counting counts what next answers on one of the two servers.
func (m *metrics) counting(server string, next http.Handler) http.Handler {
	return promhttp.InstrumentHandlerCounter(m.requests.MustCurryWith(prometheus.Labels{"server": server}), next)
}

// page is what Prometheus reads.
func (m *metrics) page() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
