package main

import (
	"cmp"
	"encoding"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/kelseyhightower/envconfig"

	"github.com/invitemailer/invitemailer/internal/spelling"
)

// load returns for each setting the flag, else the variable, else the default; empty is none.
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

// Format implements fmt.Formatter: no secret is printed.
func (settings) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "settings{hidden}") }

// variables returns the names of all environment variables that mean something.
func variables() []string {
	var names []string
	for field := range reflect.TypeFor[settings]().Fields() {
		names = append(names, field.Tag.Get("envconfig"))
	}
	return names
}

// guards are the variables of the type guard.
var guards = []string{"MAIL_FROM_DOMAINS", "MAIL_ONLY_TO"}

// guard is a list that keeps mail back. Only one that is not set at all allows everything: a
// variable that came out empty must not.
type guard string

var _ encoding.TextUnmarshaler = (*guard)(nil)

// UnmarshalText implements encoding.TextUnmarshaler. It is called for what is set: the empty text
// becomes a list without an entry, which is not the zero guard.
func (g *guard) UnmarshalText(text []byte) error {
	*g = cmp.Or(guard(text), ",")
	return nil
}

// list is nil for a guard that is not set.
func (g guard) list(setting string, p *problems) []string {
	if g == "" {
		return nil
	}
	return list(setting, string(g), p)
}

// maxEdits is the number of edits from which on a variable is not taken for another, misspelt.
const maxEdits = 4

// misspelt warns of variables that look like settings and are none. It never shows a value.
func misspelt(environ []string) []string {
	known := variables()
	var warnings []string
	for _, name := range unknown(environ, known) {
		if !looksLikeOurs(name) {
			continue
		}
		advice := "is not known and does nothing; see invitemailer --help"
		if i := spelling.Nearest(name, known, maxEdits); i >= 0 {
			advice = "is not known; did you mean " + known[i] + "?"
		}
		warnings = append(warnings, "the environment variable "+name+" "+advice)
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

// unknown returns the names in environ that are not known.
func unknown(environ, known []string) []string {
	var names []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		names = append(names, name)
	}
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(known, name) })
}

func looksLikeOurs(name string) bool {
	prefixes := []string{"INVITEMAILER_", "CRONOFY_", "SMTP_", "MAIL_", "ORGANIZER_"}
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// checkGuards refuses variables that look like a guard and are none. It never shows a value.
func (p *problems) checkGuards(environ []string) {
	known := variables()
	for _, name := range unknown(environ, known) {
		i := slices.IndexFunc(guards, func(g string) bool { return mayMean(name, g, known) })
		if i >= 0 {
			p.add(name, "is no setting, and looks like %s, without which everybody is allowed; "+
				"correct its name, or unset it", guards[i])
		}
	}
}

// mayMean reports whether a guard may be meant by a name.
func mayMean(name, guard string, known []string) bool {
	const near = 2 // letters, heedless of case and underscores
	letters := func(s string) string {
		return strings.ToUpper(strings.NewReplacer("_", "", "-", "").Replace(s))
	}
	_, end, _ := strings.Cut(guard, "_") // ONLY_TO, also in INVITEMAILER_ONLY_TO
	if looksLikeOurs(name) {
		i := spelling.Nearest(name, known, maxEdits)
		if i >= 0 && known[i] == guard || strings.Contains(letters(name), letters(end)) {
			return true
		}
	}
	parts := sortedParts(name)
	return slices.Equal(parts, sortedParts(guard)) || slices.Equal(parts, sortedParts(end)) ||
		spelling.Distance(letters(name), letters(guard), near+1) <= near
}

// sortedParts are the parts of a name: MAIL_TO_ONLY has those of MAIL_ONLY_TO.
func sortedParts(name string) []string {
	parts := strings.Split(strings.ToUpper(name), "_")
	slices.Sort(parts)
	return parts
}
