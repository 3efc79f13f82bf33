package preview

import (
	"fmt"
	"mime"
	"strings"

	"golang.org/x/net/html/charset"

	"github.com/invitemailer/invitemailer/internal/safetext"
)

// What of a mail is shown, in octets, and in how many places. A mail made for people has less of
// each.
const (
	maxHTML     = 1 << 20
	maxText     = 100 << 10
	maxValue    = 2000 // of a header field or a property
	maxFields   = 200
	maxParts    = 200
	maxFindings = 200
	maxGuests   = 100
)

// line is s as one line of text that is not too long, with what cannot be seen shown.
func line(s string) string {
	s, more := safetext.Cut(safetext.Line(s), maxValue)
	s = strings.Join(strings.Fields(s), " ")
	if more {
		s += "…"
	}
	return s
}

// decodeWords undoes the encoded words of a header (RFC 2047), as far as they can be.
func decodeWords(s string) string {
	words := mime.WordDecoder{CharsetReader: charset.NewReaderLabel}
	if decoded, err := words.DecodeHeader(s); err == nil {
		return decoded
	}
	return s
}

// count writes a number of things: "1 mail", "2 mails".
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// size writes a number of octets for people.
func size(n int) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	default:
		return fmt.Sprintf("%.1f MB", float64(n)/1000/1000)
	}
}
