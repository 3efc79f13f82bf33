package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSamples: the records that the documentation shows go through a sandbox,
// each with a mail for every line of the results.
func TestSamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "invites", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			var stdout, stderr bytes.Buffer
			m := Main{Args: []string{"send", "--sandbox", "--out", out, file}, Stdin: strings.NewReader(""),
				Stdout: &stdout, Stderr: &stderr}
			require.EqualValues(t, exitOK, m.Run(t.Context()), stderr.String())
			mails, err := filepath.Glob(filepath.Join(out, "*.eml"))
			require.NoError(t, err)
			assert.NotEmpty(t, mails)
			assert.Len(t, mails, strings.Count(stdout.String(), `"outcome":"sent"`))
		})
	}
}
