package main

import (
	"bytes"
	"context"
	"flag"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var batchInvites = flag.Int("invites", 500, "invites in the files of BenchmarkBatch and in the smaller ones of "+
	"BenchmarkMemory")

// BenchmarkBatch runs the built command over a file of invites twice, beside a
// sandbox that is another process: the second run has nothing to do. The CPU time
// is the command's alone, by the system's account.
func BenchmarkBatch(b *testing.B) {
	binary, n := buildCommand(b), *batchInvites
	for b.Loop() {
		first, again := sendTwice(b, binary, n)
		b.ReportMetric(float64(n)/first.wall.Seconds(), "invites/s")
		b.ReportMetric(float64(first.cpu.Microseconds())/float64(n), "first-cpu-µs")
		b.ReportMetric(float64(again.cpu.Microseconds())/float64(n), "again-cpu-µs")
		b.ReportMetric(float64(again.cpu)/float64(first.cpu), "again/first-cpu")
	}
}

// BenchmarkMemory compares the command's peak of resident memory over a file of new
// invites with that over a file of ten times as many. Linux begins a child's account
// with what its parent has, which shows in a command that needs nothing.
func BenchmarkMemory(b *testing.B) {
	binary := buildCommand(b)
	for b.Loop() {
		few, _ := sendTwice(b, binary, *batchInvites)
		many, _ := sendTwice(b, binary, 10**batchInvites)
		nothing, _ := measured(b, nil, binary, "version")
		require.Greater(b, few.peak, nothing.peak, "the command's peak hides behind this process's")
		b.ReportMetric(few.peak, "few-MiB")
		b.ReportMetric(many.peak, "many-MiB")
		b.ReportMetric(many.peak-few.peak, "more-MiB")
	}
}

// cost is what a run took.
type cost struct {
	cpu, wall time.Duration
	peak      float64 // MiB of resident memory
}

// sendTwice sends n new invites to a new sandbox, with a new ledger on disk, and
// then sends the same ones again.
func sendTwice(b *testing.B, binary string, n int) (first, again cost) {
	b.Helper()
	dir := b.TempDir()
	file := filepath.Join(dir, "invites.jsonl")
	writeInvites(b, file, n)
	sandbox := launch(b, dir, nil, "sandbox", "--log-level=error", "--api-addr=127.0.0.1:0",
		"--smtp-addr=127.0.0.1:0", "--page-addr=127.0.0.1:0")
	sandbox.said(&sandbox.stdout, `^INVITEMAILER_LEDGER=`) // the last one
	environment := append([]string{"CRONOFY_RATE_PER_SECOND=-1", "CRONOFY_RATE_PER_MINUTE=-1"}, sandbox.stdout...)

	first, results := measured(b, environment, binary, "send", file)
	require.Equal(b, n, results)
	again, results = measured(b, environment, binary, "send", file)
	require.Zero(b, results, "results of a run with nothing to do")
	require.Zero(b, sandbox.terminate())
	return first, again
}

// measured runs a command and returns what it took and how many lines it wrote to
// standard output.
func measured(b *testing.B, environment []string, name string, args ...string) (cost, int) {
	command := exec.CommandContext(context.WithoutCancel(b.Context()), name, args...)
	command.Env = environment
	var (
		results lineCounter
		log     bytes.Buffer
	)
	command.Stdout, command.Stderr = &results, &log
	start := time.Now()
	require.NoErrorf(b, command.Run(), "%s", &log)
	wall, state := time.Since(start), command.ProcessState
	peak := state.SysUsage().(*syscall.Rusage).Maxrss // in KiB on Linux, see getrusage(2)
	return cost{cpu: state.UserTime() + state.SystemTime(), wall: wall, peak: float64(peak) / 1024}, int(results)
}

// lineCounter counts lines and keeps none.
type lineCounter int

func (c *lineCounter) Write(p []byte) (int, error) {
	*c += lineCounter(bytes.Count(p, []byte("\n")))
	return len(p), nil
}
