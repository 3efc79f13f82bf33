package address

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// CleanText makes a text fit for a subject or a display name: one line, nothing invisible that
// breaks a header or turns the reading order around.
//
//   - The characters that break lines or leave a gap (CR, LF, TAB, VT, FF, NEL, U+2028, U+2029)
//     become a space; runs of spaces become one; spaces around the text go.
//   - The other C0 and C1 controls, DEL and the twelve bidi controls go. Text in right-to-left
//     scripts reads well without them.
//   - What is not valid UTF-8 becomes U+FFFD.
func CleanText(s string) string {
	isGap := func(r rune) bool {
		return r == ' ' || r >= '\t' && r <= '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
	}
	seen := strings.Map(func(r rune) rune {
		if !isGap(r) && unicode.In(r, unicode.Cc, unicode.Bidi_Control) {
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.FieldsFunc(seen, isGap), " ")
}

// CleanName makes a display name fit to stand beside own: [CleanText], and no name at all if it
// contains a mail address other than own, because clients show the name and readers would take that
// address for the sender's.
func CleanName(s string, own Address) string {
	name := CleanText(s)
	// Compatibility forms such as the full-width @ look like the plain ones.
	seen := norm.NFKC.String(name)
	words := strings.FieldsFunc(seen, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("<>()[]{},;:\"'`|/\\=", r)
	})
	for _, word := range words {
		word = strings.Trim(word, ".!?")
		at := strings.IndexByte(word, '@')
		if at <= 0 || at == len(word)-1 {
			continue // No @, or a handle or "lunch @ noon": not an address.
		}
		if a, err := Parse(word); err != nil || own.IsZero() || a.Key() != own.Key() {
			return ""
		}
	}
	return name
}
