package message

import (
	"encoding/base64"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"github.com/invitemailer/invitemailer/internal/address"
)

// maxWord is the longest word a header line can hold after its fold without going over 78 octets
// (RFC 5322 section 2.1.1), with room for quotes.
const maxWord = 70

// header returns the mailbox as the value of an address header: ASCII, unfolded.
func (b Mailbox) header() string {
	name := cut(address.CleanName(b.Name, b.Address), MaxSubject)
	if name == "" {
		return b.Address.String()
	}
	return phrase(name) + " <" + b.Address.String() + ">"
}

// subject returns the value of the Subject header: clean, cut, ASCII, unfolded.
func subject(s string) string {
	s = cut(address.CleanText(s), MaxSubject)
	switch {
	case !isASCII(s):
		return mime.QEncoding.Encode("utf-8", s)
	case mustEncode(s):
		return encodedWords(s)
	}
	return s
}

// phrase returns a display name as a phrase (RFC 5322 section 3.2.5): a quoted-string, or
// encoded-words.
func phrase(name string) string {
	switch {
	case !isASCII(name):
		// In a phrase, the Q encoding allows fewer characters than mime.QEncoding leaves alone (RFC
		// 2047 section 5, rule 3).
		if strings.ContainsAny(name, "\"#$%&'(),.:;<>@[\\]^`{|}~") {
			return mime.BEncoding.Encode("utf-8", name)
		}
		return mime.QEncoding.Encode("utf-8", name)
	case mustEncode(name):
		return encodedWords(name)
	}
	return `"` + quotedPairs.Replace(name) + `"`
}

// quotedPairs escapes what cannot stand in a quoted-string as it is (RFC 5322 section 3.2.4).
var quotedPairs = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// mustEncode reports whether an ASCII text cannot stand in a header as it is: it looks like an
// encoded-word, which a reader would decode to something that was never checked, or it has a word
// too long for a line.
func mustEncode(s string) bool {
	return strings.Contains(s, "=?") ||
		slices.ContainsFunc(strings.Split(s, " "), func(word string) bool { return len(word) > maxWord })
}

// encodedWords writes s in encoded-words (RFC 2047), whatever s is; package mime leaves ASCII
// alone.
func encodedWords(s string) string {
	const most = 45 // Octets in one: "=?utf-8?b?" + 60 + "?=" has 72 characters of the 75 allowed.
	var words []string
	for s != "" {
		n := min(most, len(s))
		for n < len(s) && !utf8.RuneStart(s[n]) {
			n--
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, " ")
}

// cut shortens s to at most limit characters, the last of them an ellipsis, without cutting through
// what a reader sees as one character. Subjects and names are short, and cut where people look;
// where a limit only holds off a flood, [safetext.Cut] does.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	end, runes := 0, 0
	for clusters := graphemes.FromString(s); clusters.Next(); {
		n := utf8.RuneCountInString(clusters.Value())
		if runes+n > limit-1 {
			break
		}
		runes += n
		end += len(clusters.Value())
	}
	return strings.TrimRight(s[:end], " ") + "…"
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
