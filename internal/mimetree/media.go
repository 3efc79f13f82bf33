package mimetree

import (
	"regexp"
	"strings"
)

// Media is the value of Content-Type or Content-Disposition with all its parameters, doubles
// included (RFC 2045 section 5.1).
type Media struct {
	Kind   string // in lower case, such as text/calendar
	Params []Param
}

// Param is a parameter of a header field.
type Param struct {
	Name  string // in lower case
	Value string // without quotes
}

// Get returns the first parameter of that name, in lower case.
func (m *Media) Get(name string) (string, bool) {
	for _, p := range m.Params {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// Has reports whether there is a parameter of that name.
func (m *Media) Has(name string) bool {
	_, ok := m.Get(name)
	return ok
}

var (
	// param is name=value or name="value". A quote may be left open. What has no "=" is passed
	// over.
	param      = regexp.MustCompile(`(?s)([^=;]*)=[ \t]*(?:"((?:[^"\\]|\\.)*)"|"(.*)|([^;]*))`)
	quotedPair = regexp.MustCompile(`(?s)\\(.)`)
)

// parseMedia reads as much as can be read: what is wrong with it is for a rule to say.
func parseMedia(s string) Media {
	const space = " \t"
	kind, rest, _ := strings.Cut(s, ";")
	m := Media{Kind: strings.ToLower(strings.Trim(kind, space))}
	for _, p := range param.FindAllStringSubmatch(rest, 100) {
		name, quoted, open, bare := strings.Trim(p[1], space), p[2], p[3], strings.Trim(p[4], space)
		value := quotedPair.ReplaceAllString(quoted, "$1") + open + bare
		m.Params = append(m.Params, Param{Name: strings.ToLower(name), Value: value})
	}
	return m
}
