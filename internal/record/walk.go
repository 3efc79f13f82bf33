package record

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// value is a piece of a text that encoding/json found to be valid JSON, which
// is what lets it be taken apart here without a look at the syntax. It is done
// here because encoding/json hides names that stand twice, takes names in any
// case, and does not say where a value stands.
type value struct {
	text string // without space around it
	at   int    // its offset in the record
}

func whole(text string) value {
	at := skipSpace(text, 0)
	return value{text: text[at:skipValue(text, at)], at: at}
}

func (v value) isNull() bool   { return v.text[0] == 'n' }
func (v value) isString() bool { return v.text[0] == '"' }
func (v value) isObject() bool { return v.text[0] == '{' }
func (v value) isArray() bool  { return v.text[0] == '[' }
func (v value) isNumber() bool { return v.text[0] == '-' || v.text[0] >= '0' && v.text[0] <= '9' }

// kind names the type for people.
func (v value) kind() string {
	switch v.text[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "a number"
}

// str is what a string says.
func (v value) str() string {
	if strings.IndexByte(v.text, '\\') < 0 {
		return v.text[1 : len(v.text)-1]
	}
	var s string
	if err := json.Unmarshal([]byte(v.text), &s); err != nil {
		return v.text // not reached: the text is valid
	}
	return s
}

// members goes over an object: for m := v.members(); m.next(); { … }.
type members struct {
	in    value
	pos   int
	name  string
	key   value // the name as it stands
	value value
	again bool // the name was there before
	seen  names
}

func (v value) members() members { return members{in: v, pos: 1} }

func (m *members) next() bool {
	s := m.in.text
	m.pos = skipSpace(s, m.pos)
	if s[m.pos] == ',' {
		m.pos = skipSpace(s, m.pos+1)
	}
	if s[m.pos] == '}' {
		return false
	}
	end := skipString(s, m.pos)
	m.key = value{text: s[m.pos:end], at: m.in.at + m.pos}
	m.name = m.key.str()
	m.again = !m.seen.add(m.name)
	m.pos = skipSpace(s, skipSpace(s, end)+1) // past the colon
	end = skipValue(s, m.pos)
	m.value = value{text: s[m.pos:end], at: m.in.at + m.pos}
	m.pos = end
	return true
}

// elements goes over an array.
type elements struct {
	in    value
	pos   int
	value value
}

func (v value) elements() elements { return elements{in: v, pos: 1} }

func (e *elements) next() bool {
	s := e.in.text
	e.pos = skipSpace(s, e.pos)
	if s[e.pos] == ',' {
		e.pos = skipSpace(s, e.pos+1)
	}
	if s[e.pos] == ']' {
		return false
	}
	end := skipValue(s, e.pos)
	e.value = value{text: s[e.pos:end], at: e.in.at + e.pos}
	e.pos = end
	return true
}

// names is a set that needs no memory of its own while it is small.
type names struct {
	few  [16]string
	n    int
	many map[string]struct{}
}

// add reports whether the name is new.
func (n *names) add(name string) bool {
	for _, other := range n.few[:n.n] {
		if other == name {
			return false
		}
	}
	if n.n < len(n.few) {
		n.few[n.n] = name
		n.n++
		return true
	}
	if _, ok := n.many[name]; ok {
		return false
	}
	if n.many == nil {
		n.many = make(map[string]struct{})
	}
	n.many[name] = struct{}{}
	return true
}

func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n') {
		i++
	}
	return i
}

// skipString returns where the string that begins at i ends.
func skipString(s string, i int) int {
	i++
	for quote := 0; ; {
		if quote <= i {
			quote = i + strings.IndexByte(s[i:], '"')
		}
		escape := strings.IndexByte(s[i:quote], '\\')
		if escape < 0 {
			return quote + 1
		}
		if i += escape + 2; i > quote { // what follows a backslash is no end
			quote = 0
		}
	}
}

// skipValue returns where the value that begins at i ends.
func skipValue(s string, i int) int {
	if s[i] == '"' {
		return skipString(s, i)
	}
	depth := 0
	for i < len(s) {
		switch s[i] {
		case '"':
			i = skipString(s, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // of what holds a number or a word
			}
			depth--
			if depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}

// eachRepeated reports every name that stands twice in one object, at any depth
// of the value at i, and returns where the value ends. It goes over the text
// once, however deep it is.
func eachRepeated(s string, i int, report func(name string, at int)) int {
	closing, object := byte(']'), false
	switch s[i] {
	case '{':
		closing, object = '}', true
	case '[':
	default:
		return skipValue(s, i)
	}
	var seen names
	for i++; ; {
		i = skipSpace(s, i)
		switch s[i] {
		case closing:
			return i + 1
		case ',':
			i++
			continue
		}
		if object {
			end := skipString(s, i)
			if name := (value{text: s[i:end]}).str(); !seen.add(name) {
				report(name, i)
			}
			i = skipSpace(s, skipSpace(s, end)+1)
		}
		i = eachRepeated(s, i, report)
	}
}

// loneSurrogate returns the offset of the first escape, in a text that is valid
// JSON, that stands for half a character and has no other half (RFC 8259 section
// 8.2); -1 if there is none. encoding/json would put U+FFFD in its place.
func loneSurrogate(text []byte) int {
	const length = len(`\ud800`)
	for i := 0; ; {
		next := bytes.IndexByte(text[i:], '\\')
		if next < 0 {
			return -1
		}
		i += next
		first, ok := unicodeEscape(text[i:])
		switch {
		case !ok:
			i += len(`\\`)
		case !utf16.IsSurrogate(first):
			i += length
		default:
			second, _ := unicodeEscape(text[i+length:])
			if utf16.DecodeRune(first, second) == utf8.RuneError {
				return i
			}
			i += 2 * length
		}
	}
}

// unicodeEscape reads an escape such as \u00e9 at the beginning of a text.
func unicodeEscape(text []byte) (r rune, ok bool) {
	const length = len(`\ud800`)
	if len(text) < length || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:length]), 16, 16)
	return rune(n), err == nil
}
