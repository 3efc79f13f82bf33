package cronofytest

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	localForm = "20060102T150405"
	utcForm   = "20060102T150405Z"
)

// maxLine is the length of a content line in octets, its line end apart, at which RFC 5545 §3.1
// has it folded.
const maxLine = 75

// writer writes content lines.
type writer struct {
	strings.Builder
	eol string
}

// line writes one content line, folded between characters, escapes among them: some clients lose
// the text behind one that is cut in two.
func (w *writer) line(s string) {
	for limit := maxLine; len(s) > limit; limit = maxLine - 1 {
		cut := limit
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		if escaping := cut - len(strings.TrimRight(s[:cut], `\`)); escaping%2 == 1 {
			cut--
		}
		w.WriteString(s[:cut] + w.eol + " ")
		s = s[cut:]
	}
	w.WriteString(s + w.eol)
}

// text writes a property of type TEXT, or nothing if the value is empty.
func (w *writer) text(name, value string) {
	if value != "" {
		w.line(name + ":" + escape(value))
	}
}

var (
	lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")
	textSpec = strings.NewReplacer(`\`, `\\`, `;`, `\;`, `,`, `\,`, "\n", `\n`)
	// RFC 6868 §3: what a quoted parameter cannot hold otherwise.
	paramSpec = strings.NewReplacer("^", "^^", "\n", "^n", `"`, "^'")
)

// escape makes a TEXT value of s (RFC 5545 §3.3.11).
func escape(s string) string { return textSpec.Replace(printable(s)) }

// parameter makes a parameter value of s: quoted where it must be (RFC 5545 §3.2), encoded as in
// RFC 6868.
func parameter(s string) string {
	s = paramSpec.Replace(printable(s))
	if strings.ContainsAny(s, ",;:") {
		return `"` + s + `"`
	}
	return s
}

// printable writes line ends as LF and drops the control characters that iCalendar text cannot
// hold.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0x7f {
			return -1
		}
		return r
	}, lineEnds.Replace(s))
}

// mailto makes a URI of an address (RFC 6068 §2). The @ stays as it is: some clients do not decode
// it.
func mailto(email string) string { return "mailto:" + percent(email, "%/?#[]&;=`{}|^\\\"<> ") }

// uri encodes what may not stand in a URI, and nothing that may.
func uri(s string) string { return percent(s, "`{}|^\\\"<> ") }

func percent(s, reserved string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(reserved, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
