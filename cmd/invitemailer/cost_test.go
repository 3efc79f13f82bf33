package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const invitation = `{"smart_invite_id":"board-meeting","recipient":{"email":"ada@example.com"},"event":{"summary":"Board meeting",` +
	`"start":"2099-04-29T09:30:00Z","end":"2099-04-29T10:00:00Z","tzid":"Europe/London"},"organizer":{"name":"Jane Doe","email":"jane@example.com"}}` + "\n"

// TestSandboxCost: one invite, start to finish, costs at most three times the
// CPU of a command that does nothing. The least of runs that take turns keeps
// whatever else the machine does out of it: noise only ever adds.
func TestSandboxCost(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "invitemailer.exe")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "invite.json"), []byte(invitation), 0o600))

	const runs = 15
	nothing, invite := make([]time.Duration, runs), make([]time.Duration, runs)
	for i := range runs {
		nothing[i] = cpu(t, dir, binary, "version")
		invite[i] = cpu(t, dir, binary, "send", "--sandbox", "invite.json")
	}
	ratio := float64(slices.Min(invite)) / float64(slices.Min(nothing))
	t.Logf("version %v, send --sandbox %v of CPU: %.2f times", slices.Min(nothing), slices.Min(invite), ratio)
	assert.LessOrEqual(t, ratio, 3.0)
}

// cpu runs a command and returns what it used by the system's account.
func cpu(t *testing.T, dir, binary string, args ...string) time.Duration {
	t.Helper()
	c := exec.CommandContext(t.Context(), binary, args...)
	c.Dir, c.Env = dir, []string{"HOME=" + dir}
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return c.ProcessState.UserTime() + c.ProcessState.SystemTime()
}
