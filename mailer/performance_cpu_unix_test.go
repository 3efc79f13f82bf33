//go:build unix

package mailer_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// cpuTime is what this process has used so far, by the system's account.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCPU holds the CPU time of the whole way, without any latency and with
// a ledger on disk, against the sum of its stages, each run by itself in the
// same way: 10 at once, the servers included. All take turns.
func BenchmarkCPU(b *testing.B) {
	n, rounds := *measuredInvites, *measuredRounds
	w := newWay(b, wayOptions{})
	stages := w.stages(b)
	spend := func(do func()) float64 {
		runtime.GC() // what was left behind is not for the next to clear away
		before := cpuTime(b)
		do()
		return float64((cpuTime(b) - before).Nanoseconds()) / 1000 / float64(n)
	}
	w.sendAll(b, "first", atOnce)
	run := 0
	for b.Loop() {
		took := make(map[string][]float64)
		for range rounds {
			run++
			took["way"] = append(took["way"], spend(func() { w.sendAll(b, fmt.Sprintf("way-%d", run), n) }))
			for _, s := range stages {
				took[s.name] = append(took[s.name], spend(func() {
					spread(b, n, func(i int) error {
						return s.do(b.Context(),
							fmt.Sprintf("alone-%s-%d-%d", s.name, run, i))
					})
				}))
			}
		}
		sum := 0.0
		for _, s := range stages {
			m := median(took[s.name])
			sum += m
			b.ReportMetric(m, s.name+"-cpu-µs")
		}
		b.ReportMetric(sum, "stages-cpu-µs")
		b.ReportMetric(median(took["way"]), "way-cpu-µs")
		b.ReportMetric(median(took["way"])/sum, "way/stages")
	}
}

// BenchmarkGrowth holds what an invite costs in a large run against what it costs
// in a small one, in CPU time and allocations, the servers included. The runs
// take turns, each with a new ledger.
func BenchmarkGrowth(b *testing.B) {
	few, many, rounds := *measuredInvites, *measuredInvites**measuredGrowth, *measuredRounds
	fewRuns := min(5, *measuredGrowth) // small runs are noisier
	for b.Loop() {
		cpu, allocs := make(map[int][]float64), make(map[int][]float64)
		run := func(n int) {
			w := newWay(b, wayOptions{})
			defer w.close()
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := cpuTime(b)
			w.sendAll(b, "growth", n)
			took := cpuTime(b) - start
			runtime.ReadMemStats(&after)
			cpu[n] = append(cpu[n], float64(took.Nanoseconds())/1000/float64(n))
			allocs[n] = append(allocs[n], float64(after.Mallocs-before.Mallocs)/float64(n))
		}
		for range rounds {
			for range fewRuns {
				run(few)
			}
			run(many)
		}
		b.ReportMetric(median(cpu[few]), "few-cpu-µs")
		b.ReportMetric(median(cpu[many]), "many-cpu-µs")
		b.ReportMetric(median(cpu[many])/median(cpu[few]), "many/few-cpu")
		b.ReportMetric(median(allocs[few]), "few-allocs")
		b.ReportMetric(median(allocs[many]), "many-allocs")
		b.ReportMetric(median(allocs[many])/median(allocs[few]), "many/few-allocs")
	}
}
