package cronofytest

import (
	"strings"
	"unicode/utf8"
)

const (
	localForm = "20060102T150405"
	utcForm   = "20060102T150405Z"
)

// maxLine is the length of a content line in octets, its line end apart, at which RFC 5545 §3.1 has it folded.
const maxLine = 75

// writer writes content lines.
type writer struct {
	b   []byte
	eol string
}

func newWriter(crlf bool) *writer {
	w := &writer{b: make([]byte, 0, 2048), eol: "\n"}
	if crlf {
		w.eol = "\r\n"
	}
	return w
}

func (w *writer) String() string { return string(w.b) }

// line writes one content line, folded between characters, escapes among them:
// some clients lose the text behind one that is cut in two.
func (w *writer) line(s string) {
	for room := maxLine; len(s) > room; room = maxLine - 1 {
		cut := room
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		if escaping := len(s[:cut]) - len(strings.TrimRight(s[:cut], `\`)); escaping%2 == 1 {
			cut--
		}
		w.b = append(append(append(w.b, s[:cut]...), w.eol...), ' ')
		s = s[cut:]
	}
	w.b = append(append(w.b, s...), w.eol...)
}

// text writes a property of type TEXT, or nothing if the value is empty.
func (w *writer) text(name, value string) {
	if value != "" {
		w.line(name + ":" + escape(value))
	}
}

// padding writes a property of about n octets in a single unfolded line.
func (w *writer) padding(name string, n int) {
	w.b = append(append(append(append(w.b, name...), ':'), strings.Repeat("x", n)...), w.eol...)
}

var (
	lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")
	textSpec = strings.NewReplacer(`\`, `\\`, `;`, `\;`, `,`, `\,`, "\n", `\n`)
	// RFC 6868 §3: what a quoted parameter cannot hold otherwise.
	paramSpec = strings.NewReplacer("^", "^^", "\n", "^n", `"`, "^'")
)

// escape makes a TEXT value of s (RFC 5545 §3.3.11).
func escape(s string) string {
	if plain(s, `\;,`) {
		return s
	}
	return textSpec.Replace(printable(lineEnds.Replace(s)))
}

// parameter makes a parameter value of s: quoted where it must be (RFC 5545 §3.2), encoded as in RFC 6868.
func parameter(s string) string {
	if plain(s, `^",;:`) {
		return s
	}
	s = paramSpec.Replace(printable(lineEnds.Replace(s)))
	if strings.ContainsAny(s, ",;:") {
		return `"` + s + `"`
	}
	return s
}

// plain tells whether s is free of control characters and of those in special, which is what most texts are.
func plain(s, special string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == 0x7f || strings.IndexByte(special, c) >= 0 {
			return false
		}
	}
	return true
}

// printable drops the control characters that iCalendar text cannot hold. What it writes is read by programs, so nothing is put in
// their place.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// mailto makes a URI of an address (RFC 6068 §2). The @ stays as it is: some clients do not decode it.
func mailto(email string) string { return "mailto:" + percent(email, "%/?#[]&;=`{}|^\\\"<> ") }

// uri encodes what may not stand in a URI, and nothing that may.
func uri(s string) string { return percent(s, "`{}|^\\\"<> ") }

func percent(s, reserved string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s))
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(reserved, c) >= 0 {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
