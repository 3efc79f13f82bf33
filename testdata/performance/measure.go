package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// plan is how much is measured.
type plan struct {
	cells  []cell
	rounds int // of submission
	way    way
}

// cell is one way to a server: a round-trip time and a number of connections.
type cell struct {
	rtt      int // ms
	conns    int
	messages int // on each connection, by each client, in each round
}

// way is how much is measured of the whole way.
type way struct{ invites, overlapRounds, cpuRounds, growth, growthRounds int }

var full = plan{
	cells: []cell{
		{0, 1, 2000}, {0, 2, 1000}, {0, 5, 500}, {0, 10, 300},
		{5, 1, 30}, {5, 2, 30}, {5, 5, 30}, {5, 10, 30},
		{20, 1, 8}, {20, 2, 8}, {20, 5, 8}, {20, 10, 8},
	},
	rounds: 3,
	way:    way{invites: 1000, overlapRounds: 3, cpuRounds: 7, growth: 100, growthRounds: 3},
}

var short = plan{
	cells:  []cell{{0, 10, 300}, {5, 1, 20}, {5, 10, 20}},
	rounds: 3,
	way:    way{invites: 300, overlapRounds: 1, cpuRounds: 5, growth: 10, growthRounds: 3},
}

const (
	submissionTests = "mailer/submission"
	mailerTests     = "mailer"
	imipTests       = "mailer/lint"
	commandTests    = "cmd/invitemailer"
)

// part measures some of it, and adds its results.
type part func(context.Context, benchmarks, *results) error

// parts returns the part of that name, or all for none.
func (p plan) parts(name string) ([]part, bool) {
	switch name {
	case "":
		return []part{p.submission, virtualTime, p.way.overlap, p.way.cpu, p.way.grow, costs}, true
	case "submission":
		return []part{p.submission}, true
	case "limits":
		return []part{virtualTime}, true
	case "overlap":
		return []part{p.way.overlap}, true
	case "cpu":
		return []part{p.way.cpu}, true
	case "growth":
		return []part{p.way.grow}, true
	case "costs":
		return []part{costs}, true
	}
	return nil, false
}

func measure(ctx context.Context, b benchmarks, parts []part) (results, error) {
	var r results
	for _, measure := range parts {
		if err := measure(ctx, b, &r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// submission measures every client over every way, all by turns, and takes the
// medians of the rounds; of ratios, the medians of those within one round.
func (p plan) submission(ctx context.Context, b benchmarks, r *results) error {
	rates := make(map[sender][]float64)
	trips := make(map[sender][]float64)
	var order []sender
	for round := range p.rounds {
		for _, c := range p.cells {
			fmt.Fprintf(b.log, "submission, round %d of %d: %d ms, %d connections\n", round+1, p.rounds, c.rtt, c.conns)
			found, err := b.bench(ctx, submissionTests, fmt.Sprintf("^BenchmarkSubmission$/^rtt=%dms$/^conns=%d$", c.rtt, c.conns),
				fmt.Sprintf("%dx", c.messages*c.conns), nil, "-every-way")
			if err != nil {
				return err
			}
			for _, f := range found {
				_, client, _ := strings.Cut(f.name, "/client=")
				s := sender{c.rtt, c.conns, client}
				if round == 0 {
					order = append(order, s)
				}
				rates[s] = append(rates[s], f.values["msgs/s"])
				if t, ok := f.values["trips/msg"]; ok {
					trips[s] = append(trips[s], t)
				}
			}
		}
	}
	r.add(tripsKept, median(trips[sender{5, 1, ours}]), "trips/msg")
	ratio := func(rtt, conns int, other string) float64 {
		return median(quotients(rates[sender{rtt, conns, ours}], rates[sender{rtt, conns, other}]))
	}
	r.add(againstGoMail, ratio(5, 10, goMail), "ratio")
	r.add(againstNetSMTP, ratio(0, 10, netSMTP), "ratio")
	for _, s := range order {
		*r = append(*r, result{what: rate, sender: s, value: median(rates[s]), unit: "msgs/s"})
		if len(trips[s]) > 0 {
			*r = append(*r, result{what: roundTrips, sender: s, value: median(trips[s]), unit: "trips/msg"})
		}
	}
	return nil
}

var tookVirtual = regexp.MustCompile(`1,200 invites took (\S+) of virtual time`)

// virtualTime runs the test that sends 1,200 invites at the API's documented
// limits; it fails by itself at the first refusal.
func virtualTime(ctx context.Context, b benchmarks, r *results) error {
	fmt.Fprintln(b.log, "1,200 invites at the documented limits, in virtual time")
	text, err := b.run(ctx, mailerTests, nil, "-test.run=^TestRateLimitsAreUsedToTheFull$", "-test.v")
	if err != nil {
		return err
	}
	found := tookVirtual.FindStringSubmatch(text)
	if found == nil {
		return fmt.Errorf("%s: the test of the rate limits does not tell how long it took:\n%s", mailerTests, text)
	}
	took, err := time.ParseDuration(found[1])
	if err != nil {
		return err
	}
	r.add(limitedRun, took.Seconds(), "s")
	return nil
}

// metric is a value of a benchmark: by what name it is told here, and by what
// unit there.
type metric struct{ what, key, unit string }

// overlap measures the whole way against the slower of its two servers.
func (w way) overlap(ctx context.Context, b benchmarks, r *results) error {
	return w.bench(ctx, b, r, "BenchmarkOverlap", w.overlapRounds, []metric{
		{wayAgainstSlower, "way/slower", "ratio"},
		{"API alone", "api-invites/s", "invites/s"},
		{"SMTP alone", "smtp-invites/s", "invites/s"},
		{"the whole way", "way-invites/s", "invites/s"},
	})
}

// cpu measures the whole way's CPU time against the sum of its stages'.
func (w way) cpu(ctx context.Context, b benchmarks, r *results) error {
	return w.bench(ctx, b, r, "BenchmarkCPU", w.cpuRounds, []metric{
		{wayAgainstStages, "way/stages", "ratio"},
		{"create, with the simulator", "create-cpu-µs", "cpu-µs"},
		{"read the calendar", "calendar-cpu-µs", "cpu-µs"},
		{"render", "render-cpu-µs", "cpu-µs"},
		{"compose", "compose-cpu-µs", "cpu-µs"},
		{"check", "check-cpu-µs", "cpu-µs"},
		{"ledger, on disk", "ledger-cpu-µs", "cpu-µs"},
		{"submit, with the server", "submit-cpu-µs", "cpu-µs"},
		{"the whole way", "way-cpu-µs", "cpu-µs"},
	})
}

// grow measures large runs against small ones.
func (w way) grow(ctx context.Context, b benchmarks, r *results) error {
	return w.bench(ctx, b, r, "BenchmarkGrowth", w.growthRounds, []metric{
		{growthCPU, "many/few-cpu", "ratio"},
		{growthAllocations, "many/few-allocs", "ratio"},
		{"an invite of a small run", "few-cpu-µs", "cpu-µs"},
		{"an invite of a large run", "many-cpu-µs", "cpu-µs"},
		{"an invite of a small run", "few-allocs", "allocs"},
		{"an invite of a large run", "many-allocs", "allocs"},
	})
}

// costs measures single stages against each other, and commands against each
// other.
func costs(ctx context.Context, b benchmarks, r *results) error {
	for _, c := range []struct {
		dir, name string
		metrics   []metric
	}{
		{mailerTests, "BenchmarkStages", []metric{{renderCost, "render/compose", "ratio"}, {checkCost, "check/compose", "ratio"}}},
		{imipTests, "BenchmarkGrowth", []metric{{checkGrowth, "1000kB/10kB", "ratio"}}},
		{commandTests, "BenchmarkSandbox", []metric{{sandboxCost, "sandbox/version", "ratio"}}},
		{commandTests, "BenchmarkBatch/10000", []metric{{secondRun, "again/first-cpu", "ratio"}}},
	} {
		fmt.Fprintln(b.log, c.name)
		if err := once(ctx, b, r, c.dir, c.name, c.metrics); err != nil {
			return err
		}
	}
	return nil
}

// bench runs one benchmark of package mailer once, and adds its values.
func (w way) bench(ctx context.Context, b benchmarks, r *results, name string, rounds int, metrics []metric) error {
	fmt.Fprintf(b.log, "%s, %d rounds, %d invites\n", name, rounds, w.invites)
	return once(ctx, b, r, mailerTests, name, metrics,
		fmt.Sprintf("-invites=%d", w.invites), fmt.Sprintf("-rounds=%d", rounds), fmt.Sprintf("-growth=%d", w.growth))
}

// once runs one benchmark once, and adds its values.
func once(ctx context.Context, b benchmarks, r *results, dir, name string, metrics []metric, args ...string) error {
	found, err := b.bench(ctx, dir, "^"+strings.ReplaceAll(name, "/", "$/^")+"$", "1x", nil, args...)
	if err != nil {
		return err
	}
	for _, m := range metrics {
		value, ok := found[0].values[m.key]
		if !ok {
			return fmt.Errorf("%s tells no %s", name, m.key)
		}
		r.add(m.what, value, m.unit)
	}
	return nil
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// quotients divides pairwise.
func quotients(a, b []float64) []float64 {
	q := make([]float64, 0, len(a))
	for i := range min(len(a), len(b)) {
		q = append(q, a[i]/b[i])
	}
	return q
}
