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
	const most = 76 + len("\r\n") // RFC 2045 section 6.7, rule 5
	var b strings.Builder
	for line := range strings.SplitAfterSeq(message, "\r\n") {
		for strings.HasPrefix(line, "From ") {
			line = strings.TrimPrefix(line, "From ")
			b.WriteString("=46rom ")
			if len("=46rom ")+len(line) <= most {
				break
			}
			b.WriteString("=\r\n") // Too long now. A soft line break takes nothing from the text.
		}
		b.WriteString(line)
	}
	return b.String()
}
