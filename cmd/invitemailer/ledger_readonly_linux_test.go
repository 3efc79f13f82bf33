package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadOnlyLedger: what could not be recorded is not begun.
func TestReadOnlyLedger(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "ledger.sqlite")
	invites := filepath.Join(dir, "invites.jsonl")
	require.NoError(t, os.WriteFile(invites, []byte(invitation), 0o644)) //nolint:gosec // another user must read it
	prepared := Main{Args: []string{"send", "--dry-run", "--ledger", "sqlite:" + file, invites},
		Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}}
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Zero(t, prepared.Run(t.Context()))
	require.NoError(t, os.Chmod(file, 0o444))
	require.NoError(t, os.Chmod(dir, 0o755))               //nolint:gosec // another user must get through
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755)) //nolint:gosec // and here
	for _, args := range [][]string{
		{"send", "--dry-run", invites}, {"status"}, {"forget", "--before", "2019-01-01"},
	} {
		var stdout, stderr bytes.Buffer
		m := Main{Args: append(args, "--ledger", "sqlite:"+file), Stdin: strings.NewReader(""), Stdout: &stdout,
			Stderr: &stderr}
		asNobody(t, func() { assert.EqualValues(t, exitConfig, m.Run(t.Context()), args) })
		assert.Contains(t, stderr.String(), "let this user write the file and its directory")
		assert.Empty(t, stdout.String())
	}
}

// asNobody runs fn as a user whom permissions bind: root writes everything, so
// one thread of it becomes another user to the file system.
func asNobody(t *testing.T, fn func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		fn()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and not unlocked: the thread ends with the goroutine
		const nobody = 65534
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0); errno != 0 {
			t.Errorf("setfsuid: %v", errno)
			return
		}
		fn()
	}()
	<-done
}
