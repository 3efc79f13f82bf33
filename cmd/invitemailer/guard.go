package main

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/invitemailer/invitemailer/internal/spelling"
)

// guard is a list that keeps mail back. Only one that is not set at all allows
// everything: a variable that came out empty must not.
type guard string

var _ encoding.TextUnmarshaler = (*guard)(nil)

// emptyGuard is one that was set to the empty text, which the zero guard, not set,
// has to be told from. It has no entry.
const emptyGuard guard = ","

// UnmarshalText implements encoding.TextUnmarshaler. It is called for what is set.
func (g *guard) UnmarshalText(text []byte) error {
	if *g = guard(text); *g == "" {
		*g = emptyGuard
	}
	return nil
}

// list is nil for a guard that is not set.
func (g guard) list(setting string, p *problems) []string {
	if g == "" {
		return nil
	}
	return list(setting, string(g), p)
}

// atMost is a limit on the command line. The zero value is none, and 0, which a
// script may come out with, must not be taken for it.
type atMost int

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *atMost) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no number of at least 1; leave it out for no limit, or use --dry-run to send nothing", text)
	}
	*a = atMost(n)
	return nil
}

// missed names the variables that look like a guard and are none, which keep
// nothing back: an error to whoever mails. It never shows a value.
func (p *problems) missed(environ []string) {
	known := variables()
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if slices.Contains(known, name) {
			continue
		}
		if g := missedGuard(name, known); g != "" {
			p.add(name, "is no setting, and looks like %s, without which everybody is allowed; correct its name, or unset it", g)
		}
	}
}

// missedGuard is the guard whose name may be meant; empty if none is.
func missedGuard(name string, known []string) string {
	const near = 2 // letters, heedless of case and underscores
	plain := func(s string) string { return strings.ToUpper(strings.NewReplacer("_", "", "-", "").Replace(s)) }
	for _, g := range guards() {
		i := spelling.Nearest(name, known, farFromAny)
		_, end, _ := strings.Cut(g, "_") // ONLY_TO, also in INVITEMAILER_ONLY_TO
		switch {
		case looksLikeOurs(name) && i >= 0 && known[i] == g,
			looksLikeOurs(name) && strings.Contains(plain(name), plain(end)),
			slices.Equal(words(name), words(g)), slices.Equal(words(name), words(end)),
			spelling.Distance(plain(name), plain(g), near+1) <= near:
			return g
		}
	}
	return ""
}

// words are the parts of a name, whatever their order: MAIL_TO_ONLY has those of MAIL_ONLY_TO.
func words(name string) []string {
	parts := strings.Split(strings.ToUpper(name), "_")
	slices.Sort(parts)
	return parts
}

// guards are the names of the settings that are one.
func guards() []string {
	var names []string
	t := reflect.TypeFor[settings]()
	for i := range t.NumField() {
		if t.Field(i).Type == reflect.TypeFor[guard]() {
			names = append(names, t.Field(i).Tag.Get("envconfig"))
		}
	}
	return names
}
