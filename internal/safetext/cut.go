package safetext

import "unicode/utf8"

// Cut returns the beginning of s, at most limit octets of it, and whether that is not all. It cuts
// through no character; what is not UTF-8 may be cut anywhere.
func Cut(s string, limit int) (text string, more bool) {
	if len(s) <= limit {
		return s, false
	}
	n := limit
	for n > max(0, limit-utf8.UTFMax) && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n], true
}

// Ellipsis is [Cut] with … behind what is not all.
func Ellipsis(s string, limit int) string {
	text, more := Cut(s, limit)
	if more {
		text += "…"
	}
	return text
}
