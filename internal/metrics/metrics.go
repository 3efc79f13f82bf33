// Package metrics counts, and tells the counts in the text format of Prometheus
// (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4).
//
//	var set metrics.Set
//	requests := set.Counter("app_requests_total", "Requests answered.", "code")
//	requests.Add(1, "200")
//	http.Handle("GET /metrics", &set)
//
// A label's values are for the caller to bound: each new one is kept until the
// process ends. They are words such as outcomes, and never people's addresses.
package metrics

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ContentType is that of the text format.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Set is a set of metrics, and the handler that tells them. The zero value is
// ready. It is safe for concurrent use.
type Set struct {
	mu       sync.Mutex
	families []family
}

// family is all that has one name.
type family interface{ write(*bytes.Buffer) }

// ServeHTTP writes all metrics, in the order in which they were made.
func (s *Set) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	s.mu.Lock()
	families := slices.Clone(s.families)
	s.mu.Unlock()
	for _, f := range families {
		f.write(&b)
	}
	w.Header().Set("Content-Type", ContentType)
	_, _ = w.Write(b.Bytes()) // who asks may have gone
}

func (s *Set) add(f family) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.families = append(s.families, f)
}

// series are the values of one family by their labels, in the order of those.
type series[V any] struct {
	name, help, kind string
	labels           []string

	mu     sync.Mutex
	keys   []string // "" or `{a="b"}` without the braces, sorted
	values map[string]*V
}

func newSeries[V any](name, help, kind string, labels []string) series[V] {
	return series[V]{name: name, help: help, kind: kind, labels: labels, values: make(map[string]*V)}
}

// at returns the value with these labels. The caller holds the lock.
func (s *series[V]) at(values []string) *V {
	pairs := make([]string, len(s.labels))
	for i, label := range s.labels {
		value := ""
		if i < len(values) {
			value = values[i]
		}
		pairs[i] = label + `="` + labelEscaper.Replace(value) + `"`
	}
	key := strings.Join(pairs, ",")
	v, ok := s.values[key]
	if !ok {
		v = new(V)
		s.values[key] = v
		at, _ := slices.BinarySearch(s.keys, key)
		s.keys = slices.Insert(s.keys, at, key)
	}
	return v
}

func (s *series[V]) head(b *bytes.Buffer) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", s.name, helpEscaper.Replace(s.help), s.name, s.kind)
}

var (
	labelEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	helpEscaper  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
)

// line writes one sample. Extra is a label pair of the family's own, such as le.
func line(b *bytes.Buffer, name, labels, extra string, value float64) {
	if labels != "" && extra != "" {
		labels += ","
	}
	labels += extra
	if labels != "" {
		labels = "{" + labels + "}"
	}
	fmt.Fprintf(b, "%s%s %s\n", name, labels, number(value))
}

func number(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// Counter counts up, once for each combination of its labels' values.
type Counter struct{ series[float64] }

// Counter adds a counter. By convention its name ends in _total.
func (s *Set) Counter(name, help string, labels ...string) *Counter {
	c := &Counter{newSeries[float64](name, help, "counter", labels)}
	if len(labels) == 0 {
		c.Add(0)
	}
	s.add(c)
	return c
}

// Add counts n more. Values are in the order of the labels.
func (c *Counter) Add(n float64, values ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.at(values) += n
}

func (c *Counter) write(b *bytes.Buffer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.head(b)
	for _, key := range c.keys {
		line(b, c.name, key, "", *c.values[key])
	}
}

// gauge is a value that is asked for when it is told.
type gauge struct {
	series[float64]
	read func() float64
}

// Gauge adds a value that goes up and down; read is called for each scrape.
func (s *Set) Gauge(name, help string, read func() float64) {
	s.add(&gauge{newSeries[float64](name, help, "gauge", nil), read})
}

func (g *gauge) write(b *bytes.Buffer) {
	g.head(b)
	line(b, g.name, "", "", g.read())
}

// Buckets are the upper bounds of a [Histogram] of seconds, for answers that are
// to come within five.
func Buckets() []float64 {
	return []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}
}

// observations are those of one combination of labels.
type observations struct {
	counts []uint64 // one a bucket, and the last for what is above them all
	sum    float64
}

// Histogram counts how long things took.
type Histogram struct {
	series[observations]
	bounds []float64
}

// Histogram adds a histogram over [Buckets]. By convention its name ends in
// _seconds.
func (s *Set) Histogram(name, help string, labels ...string) *Histogram {
	h := &Histogram{newSeries[observations](name, help, "histogram", labels), Buckets()}
	s.add(h)
	return h
}

// Observe counts one that took d.
func (h *Histogram) Observe(d time.Duration, values ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.at(values)
	if o.counts == nil {
		o.counts = make([]uint64, len(h.bounds)+1)
	}
	// A bucket holds what is at most its bound.
	bucket, _ := slices.BinarySearch(h.bounds, d.Seconds())
	o.counts[bucket]++
	o.sum += d.Seconds()
}

func (h *Histogram) write(b *bytes.Buffer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.head(b)
	for _, key := range h.keys {
		o := h.values[key]
		total := uint64(0)
		for i, n := range o.counts {
			total += n
			bound := math.Inf(1)
			if i < len(h.bounds) {
				bound = h.bounds[i]
			}
			line(b, h.name+"_bucket", key, `le="`+number(bound)+`"`, float64(total))
		}
		line(b, h.name+"_sum", key, "", o.sum)
		line(b, h.name+"_count", key, "", float64(total))
	}
}
