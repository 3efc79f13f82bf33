package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const invitation = `{"smart_invite_id":"board-meeting","recipient":{"email":"ada@example.com"},` +
	`"event":{"summary":"Board meeting",` +
	`"start":"2099-04-29T09:30:00Z","end":"2099-04-29T10:00:00Z","tzid":"Europe/London"},"organizer":{"name":"Jane ` +
	`Doe","email":"jane@example.com"}}` + "\n"

// BenchmarkSandbox tells what one invite costs, start to finish, against a
// command that does nothing, in CPU time: the least of runs that take turns, as
// whatever else the machine does only ever adds. testdata/performance holds it to
// a limit.
func BenchmarkSandbox(b *testing.B) {
	dir := b.TempDir()
	binary := buildCommand(b)
	require.NoError(b, os.WriteFile(filepath.Join(dir, "invite.json"), []byte(invitation), 0o600))
	const runs = 15
	for b.Loop() {
		nothing, invite := make([]time.Duration, runs), make([]time.Duration, runs)
		for i := range runs {
			nothing[i] = cpu(b, dir, binary, "version")
			invite[i] = cpu(b, dir, binary, "send", "--sandbox", "invite.json")
		}
		b.ReportMetric(float64(slices.Min(nothing).Microseconds()), "version-cpu-µs")
		b.ReportMetric(float64(slices.Min(invite).Microseconds()), "sandbox-cpu-µs")
		b.ReportMetric(float64(slices.Min(invite))/float64(slices.Min(nothing)), "sandbox/version")
	}
}

// cpu runs a command and returns what it used by the system's account.
func cpu(tb testing.TB, dir, binary string, args ...string) time.Duration {
	tb.Helper()
	c := exec.CommandContext(tb.Context(), binary, args...)
	c.Dir, c.Env = dir, []string{"HOME=" + dir}
	out, err := c.CombinedOutput()
	require.NoError(tb, err, "%s", out)
	return c.ProcessState.UserTime() + c.ProcessState.SystemTime()
}

func buildCommand(tb testing.TB, tags ...string) string {
	tb.Helper()
	binary := filepath.Join(tb.TempDir(), "invitemailer")
	args := []string{"build", "-o", binary}
	for _, tag := range tags {
		args = append(args, "-tags", tag)
	}
	out, err := exec.CommandContext(context.WithoutCancel(tb.Context()), "go", append(args, ".")...).CombinedOutput()
	require.NoErrorf(tb, err, "%s", out)
	return binary
}
