package ical

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Parameter is a parameter of a property (RFC 5545 section 3.2).
type Parameter struct {
	Name   string // in upper case; "" for a part without "="
	Value  string // without quotes
	Quoted bool
}

// Parameters yields the parameters of a property.
func (p *Property) Parameters(yield func(Parameter) bool) {
	var one string
	for rest := p.Params; rest != ""; {
		one, rest, _ = cut(rest, ';')
		name, value, ok := strings.Cut(one, "=")
		if !ok {
			name, value = "", one
		}
		q := Parameter{Name: strings.ToUpper(name), Value: value}
		if n := len(value) - 1; n > 0 && strings.IndexByte(value[1:], '"') == n-1 && value[0] == '"' {
			q.Value, q.Quoted = value[1:n], true
		}
		if !yield(q) {
			return
		}
	}
}

// Parameter returns the first parameter of that name, in upper case.
func (p *Property) Parameter(name string) (Parameter, bool) {
	for q := range p.Parameters {
		if q.Name == name {
			return q, true
		}
	}
	return Parameter{}, false
}

// list is a list of values of which some are quoted, such as "mailto:a@x","mailto:b@x".
var list = regexp.MustCompile(`^("[^"]*"|[^",]*)(,("[^"]*"|[^",]*))*$`)

// Misquoted tells a value with double quotes that enclose neither all of it nor
// whole values of a list.
func (q Parameter) Misquoted() bool {
	return !q.Quoted && strings.Contains(q.Value, `"`) && !list.MatchString(q.Value)
}

// Text returns the value, a TEXT, without its escapes (section 3.3.11).
func (p *Property) Text() string { return UnescapeText(p.Value) }

// When is a DATE or DATE-TIME (sections 3.3.4 and 3.3.5).
type When struct {
	OK    bool
	Clock time.Time // the wall clock, written as UTC
	Day   bool
	UTC   bool
	TZID  string
}

// Floating tells a wall-clock time that means another hour wherever it is read.
func (w When) Floating() bool { return w.OK && !w.Day && !w.UTC && w.TZID == "" }

// ValueType returns DATE, or DATE-TIME.
func (w When) ValueType() string {
	if w.Day {
		return "DATE"
	}
	return "DATE-TIME"
}

// When reads the value of a property that has one.
func (p *Property) When() When {
	tzid, _ := p.Parameter("TZID")
	return ReadWhen(p.Value, tzid.Value)
}

// ReadWhen reads a DATE or DATE-TIME; OK is false for anything else.
func ReadWhen(value, tzid string) When {
	form := "20060102T150405"
	w := When{TZID: tzid, Day: len(value) == len("20060102"), UTC: len(value) == len(form+"Z")}
	switch {
	case w.Day:
		form = "20060102"
	case w.UTC:
		form += "Z"
	}
	// Package time would read a fraction of a second that the form does not have.
	clock, err := time.Parse(form, value)
	w.Clock, w.OK = clock, err == nil && len(value) == len(form)
	return w
}

// duration is the form of a DURATION, in any order of the units, and unit one of them.
var (
	duration = regexp.MustCompile(`^([+-]?)P((?:[0-9]{1,9}[WD])*)(?:T((?:[0-9]{1,9}[HMS])*))?$`)
	unit     = regexp.MustCompile(`[0-9]+[WDHMS]`)
)

// ReadDuration reads a DURATION of no more than a century (section 3.3.6). Days are
// days of the calendar, whatever their length in hours; the rest is exact.
func ReadDuration(s string) (days int, rest time.Duration, ok bool) {
	m := duration.FindStringSubmatch(s)
	if m == nil || s == m[1]+"P" {
		return 0, 0, false
	}
	const century = 100 * 366 // days
	seconds := 0
	for _, u := range unit.FindAllString(m[2]+m[3], -1) {
		n, _ := strconv.Atoi(u[:len(u)-1]) // nine digits at most
		switch u[len(u)-1] {
		case 'W':
			days += 7 * n
		case 'D':
			days += n
		case 'H':
			seconds += 60 * 60 * n
		case 'M':
			seconds += 60 * n
		case 'S':
			seconds += n
		}
		if days > century || seconds > century*24*60*60 {
			return 0, 0, false
		}
	}
	if m[1] == "-" {
		days, seconds = -days, -seconds
	}
	return days, time.Duration(seconds) * time.Second, true
}

// Mailto returns the address of a mailto: URI (RFC 6068 section 2), percent-decoded
// and without header fields, and whether s is such a URI.
func Mailto(s string) (string, bool) {
	scheme, rest, found := strings.Cut(strings.TrimSpace(s), ":")
	if !found || !strings.EqualFold(scheme, "mailto") {
		return "", false
	}
	rest, _, _ = strings.Cut(rest, "?")
	if decoded, err := url.PathUnescape(rest); err == nil {
		rest = decoded
	}
	return strings.TrimSpace(rest), true
}

// escape is a backslash and what it escapes.
var escape = regexp.MustCompile(`(?s)\\.`)

// UnescapeText undoes the escaping of a TEXT value (section 3.3.11).
func UnescapeText(s string) string {
	return escape.ReplaceAllStringFunc(s, func(e string) string {
		if e == `\n` || e == `\N` {
			return "\n"
		}
		return e[1:]
	})
}

var caret = strings.NewReplacer("^^", "^", "^n", "\n", "^'", `"`)

// UnescapeParameter undoes RFC 6868.
func UnescapeParameter(s string) string { return caret.Replace(s) }
