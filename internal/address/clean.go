package address

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// CleanText makes a text fit for a subject or a display name: one line, nothing invisible that
// breaks a header or turns the reading order around.
//
//   - CR, LF, TAB and the other characters that break lines or leave a gap (VT, FF, NEL, U+2028,
//     U+2029) become a space; runs of spaces become one; spaces around the text go.
//   - The other C0 and C1 controls and DEL go.
//   - The twelve bidi controls go: U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069. Text
//     in right-to-left scripts reads well without them.
//   - What is not valid UTF-8 becomes U+FFFD.
func CleanText(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range s { // Ranging over a string yields U+FFFD for what is not UTF-8.
		switch {
		case r == ' ', r >= '\t' && r <= '\r', r == 0x85, r == 0x2028, r == 0x2029:
			gap = b.Len() > 0
			continue
		case unicode.In(r, unicode.Cc, unicode.Bidi_Control):
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
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
