package main

import (
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseLedger(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]ledgerSetting{
		"none":           {none: true},
		"sqlite:x":       {path: "x"},
		"sqlite:/a/b:c":  {path: "/a/b:c"},
		`sqlite:C:\l.db`: {path: `C:\l.db`},
	} {
		var p problems
		assert.Equal(t, want, parseLedger(text, &p), text)
		assert.Empty(t, p.texts, text)
	}
	for _, text := range []string{"sqlite:", "sqlite", "None", "postgres://x"} {
		var p problems
		parseLedger(text, &p)
		require.Len(t, p.texts, 1, text)
		assert.Contains(t, p.texts[0], "use sqlite:PATH or none")
	}
}

// TestStateDir: the ledger is in the user's state directory, as the XDG base
// directory specification has it, and never in a place that depends on where
// the command was started.
func TestStateDir(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		want, err := os.UserConfigDir()
		require.NoError(t, err)
		got, err := stateDir()
		require.NoError(t, err)
		assert.Equal(t, want, got)
		return
	}
	t.Setenv("HOME", "/home/jane")
	for xdg, want := range map[string]string{
		"":          "/home/jane/.local/state",
		"relative":  "/home/jane/.local/state",
		"/var/jane": "/var/jane",
	} {
		t.Setenv("XDG_STATE_HOME", xdg)
		dir, err := stateDir()
		require.NoError(t, err)
		assert.Equal(t, want, dir)
	}
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", "")
	_, err := stateDir()
	assert.ErrorContains(t, err, "HOME is not set")
}
