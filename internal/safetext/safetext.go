// Package safetext makes text from outside fit to be shown: on a terminal, in logs and errors, and
// in lines of JSON. The author of an event, of a file name or of a server's answer must not move the
// cursor of the one who reads about it, turn the reading order around, or make two lines of one.
//
// It is for what is shown. What is mailed or recorded is read and refused elsewhere, and not changed by it.
package safetext

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s on one line, as it may be written to a terminal, a log or an error. White space
// that breaks lines (TAB, LF, VT, FF, CR, NEL, U+2028, U+2029) becomes a space. The other controls,
// C0 with ESC, DEL and C1, the bidi controls, other characters without a form of their own and what
// is not UTF-8 are shown as Go writes them in a string: \x1b, \u202e.
func Line(s string) string { return shown(s, false) }

// Text is [Line] for a text of several lines: LF and TAB stay, and CR LF becomes LF.
func Text(s string) string { return shown(strings.ReplaceAll(s, "\r\n", "\n"), true) }

func shown(s string, lines bool) string {
	var b strings.Builder
	for i, size := 0, 0; i < len(s); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case lines && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		case breaksLine(r):
			b.WriteByte(' ')
		case isSafe(r):
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func breaksLine(r rune) bool {
	return r >= '\t' && r <= '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
}

// isSafe reports whether a character may be shown as it is: what has a form of its own, and the two
// joiners, without which words of some languages are misspelt and emoji fall apart.
func isSafe(r rune) bool {
	const zwnj, zwj = 0x200c, 0x200d
	return unicode.IsGraphic(r) || r == zwnj || r == zwj
}

// IsBlank reports whether nothing is seen of a character: white space of any kind, and what takes
// no room at all, such as the zero-width space and the byte order mark that spreadsheets and web
// pages leave behind.
func IsBlank(r rune) bool {
	return unicode.IsSpace(r) || r <= 0xffff && unicode.Is(unicode.Cf, r) // beyond, emoji end with some
}

// JSONWriter returns a writer for lines of JSON, each of which must come in one Write, as by
// [encoding/json.Encoder] and the handler of [log/slog]. It escapes what those leave as it is and a
// terminal would obey: DEL, C1, bidi controls and the like. The values stay the same to a
// program that reads the JSON.
func JSONWriter(w io.Writer) io.Writer { return jsonWriter{w} }

type jsonWriter struct{ w io.Writer }

// Write implements io.Writer.
func (j jsonWriter) Write(p []byte) (int, error) {
	n, err := j.w.Write(escaped(p))
	if err != nil {
		return min(n, len(p)), err
	}
	return len(p), nil
}

// escaped escapes characters that JSON allows in strings only, and so need no look at where they
// stand (RFC 8259 section 7).
func escaped(p []byte) []byte {
	var out []byte
	for i, size := 0, 0; i < len(p); i += size {
		var r rune
		r, size = utf8.DecodeRune(p[i:])
		switch {
		case isSafe(r) || r < ' ' && breaksLine(r):
			out = append(out, p[i:i+size]...)
		case r > 0xffff:
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// ReplaceFold is [strings.ReplaceAll] without regard to case. What is taken out of a text, such as
// an address, is found however a server repeats it. An old that is empty is not there.
func ReplaceFold(s, old, with string) string {
	if old == "" || len(s) < len(old) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if len(s)-i >= len(old) && strings.EqualFold(s[i:i+len(old)], old) {
			b.WriteString(with)
			i += len(old)
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

// Short is [Line] of a text that may be very long: its first characters, limit at most, and … if that is not all.
func Short(s string, limit int) string {
	for i := range s {
		if limit == 0 {
			return Line(s[:i]) + "…"
		}
		limit--
	}
	return Line(s)
}
