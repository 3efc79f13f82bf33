package sqlite

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// What the permissions of the file or its directory forbid must be said, rather
// than be found out when a mail has left.
func TestPermissionsThatForbidWritingAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name            string
		file, directory os.FileMode
	}{
		{"the file cannot be written", 0o444, 0o777},
		{"the file cannot be read", 0o000, 0o777},
		{"the directory cannot be written", 0o666, 0o555},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l, path := newFile(t)
			live(t, l, anna)
			require.NoError(t, l.Shutdown(t.Context()))
			directory := filepath.Dir(path)
			require.NoError(t, os.Chmod(filepath.Dir(directory), 0o755)) //nolint:gosec // another user must get through
			require.NoError(t, os.Chmod(path, test.file))
			require.NoError(t, os.Chmod(directory, test.directory))
			t.Cleanup(func() {
				require.NoError(t, os.Chmod(directory,
					0o700))
			}) //nolint:gosec // so that it can be removed
			asAnotherUser(t, func() {
				_, err := Open(t.Context(), Options{Path: path})
				require.ErrorIs(t, err, ledger.ErrUnusable)
				assert.ErrorContains(t, err, "let this user write the file and its directory")
			})
		})
	}
}

// asAnotherUser runs fn as a user whom permissions bind: root reads and writes
// everything, so one thread of it becomes another user to the file system.
func asAnotherUser(t *testing.T, fn func()) {
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
