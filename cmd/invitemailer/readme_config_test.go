package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const configurationHead = `# Configuration

Which flags and variables are there? A flag goes before the environment, the environment before
the default. An empty variable counts as none, except where it is an error.
` + "`invitemailer --help`" + ` prints the same.

This page is made from the settings of the command:
` + "`UPDATE_SCRIPTS=1 go test ./cmd/invitemailer -run TestConfiguration`" + `.

No secret is ever printed or logged. Each can come from a file, whose variable ends in
` + "`_FILE`" + `; both forms at once are an error. A variable that looks like one of these and is none is
told of, with the one that may be meant.

What goes with what:

- The API is asked over https (over http on this machine), and redirects are not followed.
- Port 465 does not go with ` + "`starttls`" + `.
- Without TLS there is never a login in clear, except to this machine.
- A guard (` + "`MAIL_ONLY_TO`, `MAIL_FROM_DOMAINS`" + `) that is set and empty is an error: only one
  that is not set allows all.
- Logs name an invite by its id and a recipient by the domain.
`

// variableGroups are the headings of the variables, by the beginning of their names.
var variableGroups = []struct{ prefix, heading string }{
	{"CRONOFY_", "The API"},
	{"SMTP_", "The mail server"},
	{"ORGANIZER_", "Who invites"},
	{"MAIL_", "Who mails, and who may be mailed"},
	{"INVITEMAILER_", "The program itself"},
}

// TestConfiguration: the chapter about flags and variables is what the command has.
// With UPDATE_SCRIPTS=1 it is written anew.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	name := filepath.Join(repository, "docs", "configuration.md")
	var c cli
	parser, err := kong.New(&c, kong.Name("invitemailer"), flagHelp, kong.PostBuild(settingFlags))
	require.NoError(t, err)
	want := configurationHead + variableTables(t, parser.Model) + flagTables(parser.Model)
	if os.Getenv("UPDATE_SCRIPTS") != "" {
		require.NoError(t, os.WriteFile(name, []byte(want), 0o600))
	}
	assert.Equal(t, want, repositoryText(t, filepath.Join("docs", "configuration.md")),
		"run UPDATE_SCRIPTS=1 go test ./cmd/invitemailer -run TestConfiguration")
}

func variableTables(t *testing.T, model *kong.Application) string {
	t.Helper()
	flags := make(map[string]string) // by the variable, which is their help
	for _, f := range model.Flags {
		flags[f.Help] = f.Name
	}
	var b strings.Builder
	written := 0
	for _, group := range variableGroups {
		fmt.Fprintf(&b, "\n## %s\n\n", group.heading)
		b.WriteString("| variable | flag | default | |\n|---|---|---|---|\n")
		for field := range reflect.TypeFor[settings]().Fields() {
			name := field.Tag.Get("envconfig")
			if !strings.HasPrefix(name, group.prefix) {
				continue
			}
			written++
			require.NotEmpty(t, variableHelp[name], name)
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, code("--", flags[name]),
				code("", field.Tag.Get("default")), cell(variableHelp[name]))
		}
	}
	require.Equal(t, len(variables()), written, "a variable is in no group")
	return b.String()
}

func flagTables(model *kong.Application) string {
	var b strings.Builder
	var ofSend []*kong.Flag
	for _, leaf := range model.Leaves(true) {
		same := func(f *kong.Flag) bool {
			return slices.ContainsFunc(ofSend, func(s *kong.Flag) bool {
				return s.Name == f.Name && s.Help == f.Help
			})
		}
		var own []*kong.Flag
		var shared []string
		for _, f := range leaf.Flags {
			if same(f) {
				shared = append(shared, code("--", f.Name))
			} else {
				own = append(own, f)
			}
		}
		if leaf.Name == "send" {
			ofSend = leaf.Flags
		}
		if len(leaf.Flags) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## Flags of %s\n\n%s.\n\n", leaf.Name, strings.TrimSuffix(leaf.Help, "."))
		switch {
		case len(shared) == len(ofSend) && len(shared) > 0:
			b.WriteString("Those of [send](#flags-of-send), and:\n\n")
		case len(shared) > 0:
			fmt.Fprintf(&b, "%s as of [send](#flags-of-send), and:\n\n", strings.Join(shared, ", "))
		}
		b.WriteString("| flag | |\n|---|---|\n")
		for _, f := range own {
			fmt.Fprintf(&b, "| `%s` | %s |\n", f, cell(f.Help))
		}
	}
	return b.String()
}

// code is a word in a fixed-width font, or nothing.
func code(prefix, text string) string {
	if text == "" {
		return ""
	}
	return "`" + prefix + text + "`"
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// flagsOfOthers are those of other programs that the manual shows.
var flagsOfOthers = []string{"--unbuffered", "--now", "--failed", "--quick"}

// TestManualNames: the variables and flags that the manual speaks of are there.
func TestManualNames(t *testing.T) {
	t.Parallel()
	var c cli
	parser, err := kong.New(&c, flagHelp)
	require.NoError(t, err)
	flags := slices.Clone(flagsOfOthers)
	for _, leaf := range parser.Model.Leaves(false) {
		for _, f := range slices.Concat(parser.Model.Flags, leaf.Flags) {
			flags = append(flags, "--"+f.Name)
		}
	}
	variable := regexp.MustCompile(`\b(?:CRONOFY|SMTP|MAIL|ORGANIZER|INVITEMAILER)_[A-Z_]+[A-Z]`)
	flag := regexp.MustCompile(`(?:^|[\s` + "`" + `(])(--[a-z-]+[a-z])`)
	for _, file := range manualFiles(t) {
		text := repositoryText(t, file)
		for _, name := range variable.FindAllString(text, -1) {
			assert.Contains(t, variables(), name, file)
		}
		for _, m := range flag.FindAllStringSubmatch(text, -1) {
			assert.Contains(t, flags, m[1], file)
		}
	}
}
