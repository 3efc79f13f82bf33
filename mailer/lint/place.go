package lint

import (
	"cmp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/internal/mimetree"
	"github.com/invitemailer/invitemailer/internal/safetext"
)

// place is where a finding is. Its text is only made when there is one.
type place struct {
	header string         // name of a header field
	part   *mimetree.Part // nil for the whole, and in an iCalendar text
	line   int            // 0 for none
}

// whole is the message or text as a whole.
var whole place

func (p place) String() string {
	var where []string
	if p.header != "" {
		where = append(where, "header "+quoteName(p.header))
	} else if p.line > 0 {
		where = append(where, "line "+strconv.Itoa(p.line))
	}
	if p.part != nil && p.part.Path() != "" {
		where = append(where, "part "+p.part.Path())
	}
	return cmp.Or(strings.Join(where, " of "), "message")
}

// maxQuote is how much of an offending text a finding shows, in octets.
const maxQuote = 80

// quote shows offending text: in quotes, on one line, controls, bidi controls and what is not UTF-8
// escaped, shortened.
func quote(s string) string {
	text, more := escape(s)
	return `"` + text + `"` + more
}

// quoteName is quote without the quotes, for what stands within a sentence.
func quoteName(s string) string {
	text, more := escape(s)
	return text + more
}

// escape makes at most the first maxQuote octets of s printable, and returns … if there are more.
// Unlike [safetext.Line] it leaves no doubt which octets stand there: a TAB, a line break or a space
// that is not U+0020 is what many findings are about.
func escape(s string) (text, more string) {
	s, cut := safetext.Cut(s, maxQuote)
	if cut {
		more = "…"
	}
	var b strings.Builder
	for i, r := range s {
		_, n := utf8.DecodeRuneInString(s[i:])
		octets := s[i : i+n]
		if r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r) && utf8.ValidString(octets) {
			b.WriteString(octets)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteToASCII(octets), `"`))
		}
	}
	return b.String(), more
}
