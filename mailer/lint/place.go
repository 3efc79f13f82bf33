package lint

import (
	"fmt"
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
	var b strings.Builder
	if p.header != "" {
		b.WriteString("header " + quoteName(p.header))
	} else if p.line > 0 {
		b.WriteString("line " + strconv.Itoa(p.line))
	}
	path := ""
	if p.part != nil {
		path = p.part.Path()
	}
	switch {
	case path != "" && b.Len() > 0:
		b.WriteString(" of part " + path)
	case path != "":
		b.WriteString("part " + path)
	case b.Len() == 0:
		return "message"
	}
	return b.String()
}

// maxQuote is how much of an offending text a finding shows, in octets.
const maxQuote = 80

// quote shows offending text: in quotes, on one line, controls, bidi controls and what is not UTF-8
// escaped, shortened.
func quote(s string) string {
	text, cut := escape(s)
	if cut {
		return `"` + text + `"…`
	}
	return `"` + text + `"`
}

// quoteName is quote without the quotes, for what stands within words.
func quoteName(s string) string {
	text, cut := escape(s)
	if cut {
		return text + "…"
	}
	return text
}

// escape makes at most the first maxQuote octets of s printable, and reports whether there were
// more. Unlike [safetext.Line] it leaves no doubt which octets stand there: a TAB, a line break or
// a space that is not U+0020 is what many findings are about.
func escape(s string) (text string, cut bool) {
	s, cut = safetext.Cut(s, maxQuote)
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[i])|0x100, 16)[1:])
		case r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r):
			b.WriteString(s[i : i+n])
		default:
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
		i += n
	}
	return b.String(), cut
}

func sprintf(format string, args []any) string {
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}
