package imip

import (
	"fmt"
	"strings"
)

// media is the value of Content-Type or Content-Disposition with all its parameters, doubles included (RFC 2045 section 5.1).
type media struct {
	kind   string // in lower case, such as text/calendar
	params []param
}

// param is a parameter of a header field or of a property.
type param struct {
	name   string // in lower case for a header field, in upper case for a property
	value  string // without quotes
	quoted bool
}

func (m *media) get(name string) (string, bool) {
	for i := range m.params {
		if m.params[i].name == name {
			return m.params[i].value, true
		}
	}
	return "", false
}

func (m *media) has(name string) bool {
	_, ok := m.get(name)
	return ok
}

// parseMedia reads as much as can be read: what is wrong with it is for a rule to say.
func parseMedia(s string) media {
	kind, rest, _ := strings.Cut(s, ";")
	m := media{kind: strings.ToLower(strings.Trim(kind, " \t"))}
	for rest != "" && len(m.params) < 100 {
		rest = strings.TrimLeft(rest, " \t;")
		n := strings.IndexAny(rest, "=;")
		if n < 0 || rest[n] == ';' {
			if n < 0 {
				break
			}
			rest = rest[n:]
			continue
		}
		p := param{name: strings.ToLower(strings.Trim(rest[:n], " \t"))}
		rest = strings.TrimLeft(rest[n+1:], " \t")
		if strings.HasPrefix(rest, `"`) {
			p.quoted = true
			p.value, rest = quotedString(rest)
		} else {
			end := strings.IndexByte(rest, ';')
			if end < 0 {
				end = len(rest)
			}
			p.value, rest = strings.Trim(rest[:end], " \t"), rest[end:]
		}
		m.params = append(m.params, p)
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

func sprintf(format string, args []any) string {
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}
