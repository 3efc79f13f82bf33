package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stillNamed are the packages that name variables or flags, and are to lose them.
var stillNamed = []string{"internal/record", "mailer", "mailer/sandbox"}

// TestLibraryKnowsNoSettings: no file of the library contains the name of an environment variable
// or of a flag, since programs that import it have neither.
func TestLibraryKnowsNoSettings(t *testing.T) {
	t.Parallel()
	setting := regexp.MustCompile(`\b(?:CRONOFY|SMTP|MAIL|ORGANIZER|INVITEMAILER)_[A-Z]+|(?:^|[\s"'(\x60])--[a-z][a-z-]+`)
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		name, err := filepath.Rel(root, path)
		require.NoError(t, err)
		name = filepath.ToSlash(name)
		if d.IsDir() {
			if name == "cmd" || d.Name() == "testdata" || name != "." && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || slices.Contains(stillNamed, filepath.ToSlash(filepath.Dir(name))) {
			return nil
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Empty(t, setting.FindAllString(string(text), -1), name)
		return nil
	})
	require.NoError(t, err)
}

// TestForUsers: a text of the library is told in the names of variables and flags.
func TestForUsers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"set Config.Username and Config.Password, or Config.TLS": "set SMTP_USERNAME and SMTP_PASSWORD, or SMTP_TLS",
		"set Config.TLS=implicit.":                               "set SMTP_TLS=implicit.",
		"set Config.Organizer.Email. Then run again":             "set ORGANIZER_EMAIL. Then run again",
		"use Config.Resend":                                      "use --resend",
		"see submission.Config.RatePerMinute":                    "see SMTP_RATE_PER_MINUTE",
		"see cronofy.Config.RatePerMinute":                       "see CRONOFY_RATE_PER_MINUTE",
		"say so in Options.Application":                          "say so in INVITEMAILER_APPLICATION",
		"see Config.Logger":                                      "see Config.Logger",
		"535 5.7.8 Username and password not accepted":           "535 5.7.8 Username and password not accepted",
	} {
		assert.Equal(t, want, forUsers(text))
	}
}
