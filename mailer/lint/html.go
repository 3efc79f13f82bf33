package lint

import (
	"html"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/internal/ical"
)

// hidden are the elements whose content no reader sees.
var hidden = []string{"style", "script", "title"}

// stripTags returns the text of an HTML document, as far as that goes without building it.
func stripTags(s string) string {
	var b strings.Builder
	b.Grow(len(s) / 2)
	for {
		n := strings.IndexByte(s, '<')
		if n < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:n])
		s = s[n:]
		if strings.HasPrefix(s, "<!--") {
			_, s, _ = strings.Cut(s, "-->")
			continue
		}
		name := tagName(s)
		end := strings.IndexByte(s, '>')
		if end < 0 {
			break
		}
		s = s[end+1:]
		b.WriteByte(' ')
		for _, h := range hidden {
			if strings.EqualFold(name, h) {
				close := indexFold(s, "</"+h)
				if close < 0 {
					close = len(s)
				}
				s = s[close:]
			}
		}
	}
	return html.UnescapeString(b.String())
}

// tagName returns the name of the tag that s begins with.
func tagName(s string) string {
	n := 1
	for n < len(s) && ical.IsName(s[n:n+1]) {
		n++
	}
	return s[1:n]
}

// elements yields the names of the opening tags of an HTML document, as they are written.
func elements(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			n := strings.IndexByte(s, '<')
			if n < 0 {
				return
			}
			name := tagName(s[n:])
			if s = s[n+1:]; name != "" && !yield(name) {
				return
			}
		}
	}
}

// attr is an attribute of a tag; element and name are in lower case.
type attr struct{ element, name, value string }

// attributes yields the attributes of those names, in lower case, in the tags of an HTML document.
func attributes(s string, names ...string) iter.Seq[attr] {
	return func(yield func(attr) bool) {
		for {
			n := strings.IndexByte(s, '<')
			if n < 0 {
				return
			}
			s = s[n:]
			element := strings.ToLower(tagName(s))
			end := strings.IndexByte(s, '>')
			if end < 0 {
				return
			}
			for _, name := range names {
				if v, ok := attribute(s[:end], name); ok && !yield(attr{element, name, v}) {
					return
				}
			}
			s = s[end:]
		}
	}
}

// attribute returns the value of an attribute within a tag.
func attribute(tag, name string) (string, bool) {
	const space = " \t\r\n"
	for at := 0; ; {
		n := strings.IndexByte(tag[at:], '=')
		if n < 0 {
			return "", false
		}
		before := strings.TrimRight(tag[:at+n], space)
		at += n + 1
		start := len(before) - len(name)
		if start < 1 || !equalFoldASCII(before[start:], name) || strings.IndexByte(" \t\n\"'", before[start-1]) < 0 {
			continue
		}
		rest := strings.TrimLeft(tag[at:], space)
		end := len(rest)
		if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
			quote := rest[0]
			if rest = rest[1:]; strings.IndexByte(rest, quote) >= 0 {
				end = strings.IndexByte(rest, quote)
			} else {
				end = len(rest)
			}
		} else if n := strings.IndexAny(rest, " \t\r\n"); n >= 0 {
			end = n
		}
		return html.UnescapeString(rest[:end]), true
	}
}

// squeeze leaves out white space, controls and what is invisible, so that texts that are laid out differently can be compared.
func squeeze(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c > ' ' && c != 0x7f {
				b.WriteByte(c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsSpace(r) && !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}
