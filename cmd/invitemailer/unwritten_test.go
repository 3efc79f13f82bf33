package main

import (
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}
}

// TestWhatCannotBeWrittenIsSaid: no command ends in silence because its output
// could not be written, and none blames the command line.
func TestWhatCannotBeWrittenIsSaid(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"version", "--help", "send --help", "lint --rules", "lint --explain IM01",
		"lint -", "templates check .", "templates export made"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var stderr strings.Builder
			args := strings.Fields(strings.ReplaceAll(args, "made", t.TempDir()+"/made"))
			code := Main{Args: args, Stdin: strings.NewReader("From: a@example.com\r\n\r\n"), Stdout: fullDisk{},
				Stderr: &stderr}.Run(t.Context())
			assert.EqualValues(t, exitTempfail, code)
			assert.Contains(t, stderr.String(), "could not be written")
		})
	}
}
