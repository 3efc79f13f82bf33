package mimetree

import "strings"

// Media is the value of Content-Type or Content-Disposition with all its parameters, doubles included (RFC 2045 section 5.1).
type Media struct {
	Kind   string // in lower case, such as text/calendar
	Params []Param
}

// Param is a parameter of a header field.
type Param struct {
	Name   string // in lower case
	Value  string // without quotes
	Quoted bool
}

// Get returns the first parameter of that name, in lower case.
func (m *Media) Get(name string) (string, bool) {
	for i := range m.Params {
		if m.Params[i].Name == name {
			return m.Params[i].Value, true
		}
	}
	return "", false
}

// Has reports whether there is a parameter of that name.
func (m *Media) Has(name string) bool {
	_, ok := m.Get(name)
	return ok
}

// ParseMedia reads as much as can be read: what is wrong with it is for a rule to say.
func ParseMedia(s string) Media {
	kind, rest, _ := strings.Cut(s, ";")
	m := Media{Kind: strings.ToLower(strings.Trim(kind, " \t"))}
	for rest != "" && len(m.Params) < 100 {
		rest = strings.TrimLeft(rest, " \t;")
		n := strings.IndexAny(rest, "=;")
		if n < 0 || rest[n] == ';' {
			if n < 0 {
				break
			}
			rest = rest[n:]
			continue
		}
		p := Param{Name: strings.ToLower(strings.Trim(rest[:n], " \t"))}
		rest = strings.TrimLeft(rest[n+1:], " \t")
		if strings.HasPrefix(rest, `"`) {
			p.Quoted = true
			p.Value, rest = quotedString(rest)
		} else {
			end := strings.IndexByte(rest, ';')
			if end < 0 {
				end = len(rest)
			}
			p.Value, rest = strings.Trim(rest[:end], " \t"), rest[end:]
		}
		m.Params = append(m.Params, p)
	}
	return m
}

// quotedString reads the quoted-string at the beginning of s and returns its content and what follows.
func quotedString(s string) (content, rest string) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			content = s[1:i]
			if strings.IndexByte(content, '\\') >= 0 {
				content = unescapePairs(content)
			}
			return content, s[i+1:]
		case '\\':
			i++
		}
	}
	return s[1:], ""
}

func unescapePairs(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}
