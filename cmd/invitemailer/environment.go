package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/kelseyhightower/envconfig"

	"github.com/invitemailer/invitemailer/internal/spelling"
)

// load returns the settings that hold: a flag, else the environment, else the
// default. An empty value counts as none.
func load(flags settings) (settings, error) {
	var s settings
	if err := envconfig.Process("", &s); err != nil {
		return settings{}, fmt.Errorf("read the environment: %w", err)
	}
	to, from := reflect.ValueOf(&s).Elem(), reflect.ValueOf(flags)
	for i := range to.NumField() {
		if flag := from.Field(i).String(); flag != "" {
			to.Field(i).SetString(flag)
		}
		if to.Field(i).String() == "" { // envconfig takes an empty variable for a value
			to.Field(i).SetString(to.Type().Field(i).Tag.Get("default"))
		}
	}
	return s, nil
}

// printVariables writes the table of all environment variables.
func printVariables(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for field := range reflect.TypeFor[settings]().Fields() {
		name := field.Tag.Get("envconfig")
		fmt.Fprintf(table, "  %s\t%s\t%s\n", name, cmp.Or(field.Tag.Get("default"), "-"), variableHelp[name])
	}
	return table.Flush()
}

// variables are the names of all environment variables that mean something.
func variables() []string {
	t := reflect.TypeFor[settings]()
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("envconfig")
	}
	return names
}

// farFromAny is the number of edits from which on a variable is not taken for another
// one, misspelt.
const farFromAny = 4

// misspelt names the variables that look like settings and are none, with the
// one that may be meant. It never shows a value.
func misspelt(environ []string) []string {
	known := variables()
	var warnings []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !looksLikeOurs(name) || slices.Contains(known, name) {
			continue
		}
		if i := spelling.Nearest(name, known, farFromAny); i >= 0 {
			warnings = append(warnings, fmt.Sprintf("the environment variable %s is not known; did you mean %s?", name, known[i]))
		} else {
			warnings = append(warnings, fmt.Sprintf("the environment variable %s is not known and does nothing; see invitemailer --help", name))
		}
	}
	slices.Sort(warnings)
	return warnings
}

// warnOfMisspelt logs what misspelt finds in the environment.
func warnOfMisspelt(log *slog.Logger) {
	for _, warning := range misspelt(os.Environ()) {
		log.Warn(warning)
	}
}

func looksLikeOurs(name string) bool {
	for _, prefix := range []string{"INVITEMAILER_", "CRONOFY_", "SMTP_", "MAIL_", "ORGANIZER_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// secret returns the value of a setting that may stand in a file.
func secret(value, file, name string, p *problems) string {
	if file == "" {
		return value
	}
	if value != "" {
		p.add(name, "is set, and %s_FILE too; keep one of them", name)
		return value
	}
	text, err := os.ReadFile(file)
	if err != nil {
		// Not err itself: the secret may stand where the name should.
		p.add(name+"_FILE", "names no file that can be read: %v", errors.Unwrap(err))
		return unread
	}
	value = strings.TrimRight(string(text), "\r\n")
	if value == "" {
		p.add(name+"_FILE", "names an empty file; put the secret into it")
		return unread
	}
	return value
}

// unread stands for a secret that is not needed or could not be read, so that
// it is not reported as missing.
const unread = "unread"
