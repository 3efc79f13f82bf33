package main

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSetLedger(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"none": "", "sqlite:x": "x", "sqlite:/a/b:c": "/a/b:c", `sqlite:C:\l.db`: `C:\l.db`,
	} {
		var p problems
		var c configuration
		c.setLedger(settings{Ledger: text}, "", &p)
		assert.Equal(t, want, c.ledger.Path, text)
		assert.Equal(t, text == "none", c.noLedger, text)
		assert.Empty(t, p.texts, text)
	}
	for _, text := range []string{"sqlite:", "sqlite", "None", "postgres://x"} {
		var p problems
		new(configuration).setLedger(settings{Ledger: text}, "", &p)
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

// TestNoSecretIsPrinted: nothing that holds a secret shows it to who prints it.
func TestNoSecretIsPrinted(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-hunter2"
	s := settings{APIKey: secret, SMTPPassword: secret, AdminToken: secret, CallbackSecrets: secret}
	c := configuration{
		api: cronofy.Config{APIKey: secret}, smtp: submission.Config{Password: secret},
		callbackSecrets: []string{secret}, adminToken: secret,
	}
	for _, value := range []any{s, &s, c, &c, cli{settings: s}, &cli{settings: s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			assert.NotContains(t, fmt.Sprintf(verb, value), secret)
			assert.NotContains(t, fmt.Sprintf(verb, value), fmt.Sprintf("%x", secret))
		}
	}
}
