package templates

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits in code points. Together they keep the page under 50 kB, however much
// of its text has to be escaped. Summary and description have these limits at
// the API; what is cut off here still stands in the calendar.
const (
	maxTitle       = 1024
	maxDescription = 4096
	maxPlace       = 512
	maxName        = 128
	maxAddress     = 254 // RFC 5321 section 4.5.3.1.3, less the brackets
	maxChange      = 200
	maxLink        = 2000 // as it stands escaped in a page
)

// oneLine is s on one line: white space and control characters become one
// space each run, and bidirectional controls, which can make a text read as
// another one, are left out. [address.CleanText] does the same for a header,
// but drops a control character where a page keeps the words around it apart.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(clean(s), func(r rune) bool {
		return r == ' ' || r == 0x2028 || r == 0x2029 || unicode.IsControl(r)
	}), " ")
}

// paragraphs is s with its line breaks, all written LF, no white space at the
// end of a line, and no other controls.
func paragraphs(s string) string {
	s = strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, lineBreaks.Replace(clean(s)))
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\t", "    ")

// clean leaves out bidirectional controls and makes the rest valid UTF-8.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// shorten cuts s to a number of code points, of which the last is then "…":
// limits here are those of the API, which counts them so.
func shorten(s string, limit int) string {
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	return strings.TrimRight(string(runes[:limit-1]), " \n") + "…"
}

// link is s if it is an http or https URI that html/template writes as it
// stands, else empty: a link in the page is exactly the one in the calendar.
func link(s string) string {
	const escape = len("&amp;") - len("&")
	if len(s)+escape*(strings.Count(s, "&")+strings.Count(s, "+")) > maxLink || strings.ContainsFunc(s, notInLink) {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil {
		return ""
	}
	return s
}

// notInLink finds what a URI does not have (RFC 3986 section 2), and the three
// of its characters that html/template writes as percent escapes.
func notInLink(r rune) bool {
	return r <= ' ' || r >= unicode.MaxASCII || strings.ContainsRune("\"<>\\^`{|}'()", r)
}

// mailto is the address if it means the same in a mailto URI (RFC 6068) as it
// stands, else empty.
func mailto(address string) string {
	if !strings.Contains(address, "@") || strings.ContainsFunc(address, func(r rune) bool {
		return r <= ' ' || r >= unicode.MaxASCII || strings.ContainsRune(`"%&/:;<>?#[\]^`+"`{|},'()", r)
	}) {
		return ""
	}
	return address
}
