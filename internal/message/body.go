package message

import "strings"

// crlf makes every line end CRLF, sees to a last one, and puts U+FFFD in place of what is not
// UTF-8. NUL goes: no server takes it.
func crlf(s string) string {
	s = lineEnds.Replace(strings.ToValidUTF8(s, "\uFFFD"))
	if !strings.HasSuffix(s, "\r\n") {
		s += "\r\n"
	}
	return s
}

var lineEnds = strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n", "\x00", "")

// hideFrom encodes the first letter of each line that begins with "From ", which programs that keep
// mail in mbox files change (RFC 4155). Only quoted-printable parts can have such a line: headers
// have a colon there, base64 no space.
func hideFrom(message string) string {
	const (
		hidden = "=46rom "
		most   = 76 // RFC 2045 section 6.7, rule 5, without the CRLF
	)
	lines := strings.SplitAfter(message, "\r\n")
	for i, line := range lines {
		before := ""
		for {
			rest, found := strings.CutPrefix(line, "From ")
			if !found {
				break
			}
			before, line = before+hidden, rest
			if len(hidden)+len(rest)-len("\r\n") <= most {
				break
			}
			before += "=\r\n" // Too long now. A soft line break takes nothing from the text.
		}
		lines[i] = before + line
	}
	return strings.Join(lines, "")
}
