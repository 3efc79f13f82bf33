package message

import (
	"bytes"
	"strings"
)

// crlf makes every line end CRLF, sees to a last one, and puts U+FFFD in place of what is not UTF-8. NUL goes: no server takes it.
func crlf(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.ContainsAny(s, "\r\x00") {
		s = lineEnds.Replace(s)
	} else { // what templates write, for half the price
		s = strings.ReplaceAll(s, "\n", "\r\n")
	}
	if !strings.HasSuffix(s, "\r\n") {
		s += "\r\n"
	}
	return s
}

var lineEnds = strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n", "\x00", "")

// hideFrom encodes the first letter of each line that begins with "From ", which programs that keep mail in mbox files change (RFC 4155).
// Only quoted-printable parts can have such a line: headers have a colon there, base64 no space.
func hideFrom(b []byte) []byte {
	const (
		from   = "From "
		hidden = "=46rom "
		most   = 76 // RFC 2045 section 6.7, rule 5
	)
	start := bytes.Index(b, []byte("\r\n"+from))
	if start < 0 {
		return b
	}
	out := make([]byte, 0, len(b)+64)
	for start >= 0 {
		out, b = append(out, b[:start+2]...), b[start+2:]
		for bytes.HasPrefix(b, []byte(from)) {
			out, b = append(out, hidden...), b[len(from):]
			if bytes.Index(b, []byte("\r\n"))+len(hidden) <= most {
				break
			}
			out = append(out, "=\r\n"...) // Too long now. A soft line break takes nothing from the text.
		}
		start = bytes.Index(b, []byte("\r\n"+from))
	}
	return append(out, b...)
}
