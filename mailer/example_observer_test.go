package mailer_test

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/invitemailer/invitemailer/mailer"
)

// stageDurations are an Observer that makes metrics for Prometheus.
type stageDurations struct{ stages, waits *prometheus.HistogramVec }

func newStageDurations(registry prometheus.Registerer) stageDurations {
	seconds := func(name, help string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help}, []string{"stage", "code"})
		registry.MustRegister(h)
		return h
	}
	return stageDurations{
		stages: seconds("invite_stage_duration_seconds", "Time that a stage of an invite took."),
		waits:  seconds("invite_wait_duration_seconds", "Time that a stage of an invite waited for a limit."),
	}
}

// Observe implements mailer.Observer.
func (d stageDurations) Observe(_ context.Context, e mailer.Event) func(mailer.Code) {
	histogram, begun := d.stages, time.Now()
	if e.Wait {
		histogram = d.waits
	}
	return func(c mailer.Code) {
		histogram.WithLabelValues(string(e.Stage), string(c)).Observe(time.Since(begun).Seconds())
	}
}

// A service measures how long the API and the mail server take.
func ExampleObserver() {
	api, smtp, inbox := services()
	defer func() { _ = inbox.Close() }()
	defer func() { _ = smtp.Shutdown(context.Background()) }()
	registry := prometheus.NewRegistry()
	m, err := mailer.New(mailer.Config{
		API: api, Submitter: smtp,
		Organizer: mailer.Organizer{Name: "Acme HR", Email: "hr@acme.example"},
		Observer:  newStageDurations(registry),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = m.Shutdown(context.Background()) }()

	if _, err := m.Send(context.Background(), interview()); err != nil {
		fmt.Println(err)
		return
	}
	families, err := registry.Gather()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			fmt.Println(family.GetName(), metric.GetLabel()[1].GetValue(), metric.GetHistogram().GetSampleCount())
		}
	}
	// Output:
	// invite_stage_duration_seconds check 1
	// invite_stage_duration_seconds compose 1
	// invite_stage_duration_seconds create 1
	// invite_stage_duration_seconds render 1
	// invite_stage_duration_seconds submit 1
	// invite_wait_duration_seconds create 1
}
