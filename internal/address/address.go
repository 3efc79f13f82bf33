// Package address reads mail addresses and makes text fit to stand beside them.
//
// One person has one address, however it is written: the host that owns a local part decides upon
// its case (RFC 5321 section 2.4), but calendar clients and the Smart Invites API compare without
// regard to case, so two spellings must not become two people.
//
// Errors name the domain at most, never the whole address: they may be logged.
package address

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/invitemailer/invitemailer/internal/safetext"
)

// The limits of an address, in octets (RFC 5321 section 4.5.3.1). An address is limited to 254
// because a path, which adds the two angle brackets, is limited to 256.
const (
	MaxLocalPart = 64
	MaxDomain    = 255
	MaxAddress   = 254

	maxLabel = 63
)

// Address is one addr-spec (RFC 5322 section 3.4.1). It is a comparable value, but == takes the
// case of the local part into account: compare the Key, or use [Equal]. The zero value is no
// address.
type Address struct {
	local  string
	domain string
}

// Error says why a text is not an address that mail can be sent to, and what to do about it. It
// never holds the local part.
type Error struct {
	// Domain is the domain of the address as it was given, or empty if none could be told.
	Domain string
	// Problem says what is wrong and what to do.
	Problem string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Domain == "" {
		return "mail address: " + e.Problem
	}
	return fmt.Sprintf("mail address at %q: %s", e.Domain, e.Problem)
}

func fail(domain, format string, args ...any) error {
	const most = 80 // octets, so that an error stays readable whatever was given
	return &Error{Domain: safetext.Ellipsis(domain, most), Problem: fmt.Sprintf(format, args...)}
}

// Parse reads one addr-spec: no display name, no angle brackets, no comment, no white space around
// it. The local part is a Dot-string or a Quoted-string (RFC 5321 section 4.1.2), UTF-8 allowed
// (RFC 6531 section 3.3); a Quoted-string that needs no quotes loses them. The domain is converted
// to lower-case A-labels (RFC 5891, lookup). Address literals such as [192.0.2.1] are refused.
// Every error is an *[Error].
func Parse(s string) (Address, error) {
	at := strings.LastIndexByte(s, '@')
	switch {
	case s == "":
		return Address{}, fail("", "it is empty; give one address such as name@example.com")
	case !utf8.ValidString(s):
		return Address{}, fail("", "it is not valid UTF-8; give the address in UTF-8")
	case at < 0:
		return Address{}, fail("", "there is no @ in it; give one address such as name@example.com")
	}
	domain, err := parseDomain(s[at+1:])
	if err != nil {
		return Address{}, err
	}
	local, err := parseLocalPart(s[:at], domain)
	if err != nil {
		return Address{}, err
	}
	a := Address{local: local, domain: domain}
	if len(a.String()) > MaxAddress {
		return Address{}, fail(domain, "it is longer than %d octets; check it for text that does not belong to it", MaxAddress)
	}
	return a, nil
}

// String returns the address as it goes on the wire: the local part as given, the domain in lower-case A-labels.
func (a Address) String() string {
	if a.IsZero() {
		return ""
	}
	return a.local + "@" + a.domain
}

// Key returns the form to compare and to store an address by: as String, with the local part in
// lower case and normalized (NFC).
func (a Address) Key() string {
	if a.IsZero() {
		return ""
	}
	return lower(norm.NFC.String(a.local)) + "@" + a.domain
}

// Domain returns the domain in lower-case A-labels. It is as much of an address as a log may show.
func (a Address) Domain() string { return a.domain }

// IsZero reports whether a is the zero value, which is no address.
func (a Address) IsZero() bool { return a == Address{} }

// NeedsSMTPUTF8 reports whether the local part goes beyond ASCII, so that only servers with the
// SMTPUTF8 extension can take mail for it (RFC 6531). An internationalized domain does not need it:
// it travels as A-labels.
func (a Address) NeedsSMTPUTF8() bool {
	return strings.ContainsFunc(a.local, func(r rune) bool { return r >= utf8.RuneSelf })
}

// Equal reports whether both texts are addresses and name the same mailbox.
func Equal(a, b string) bool {
	x, err := Parse(a)
	if err != nil {
		return false
	}
	y, err := Parse(b)
	return err == nil && x.Key() == y.Key()
}

// parseDomain returns the lower-case A-label form of a domain name.
func parseDomain(s string) (string, error) {
	const tooLong = "its domain is longer than %d octets; check it for text that does not belong to it"
	isForeign := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("<>(),;:\\\"", r) }
	switch {
	case s == "":
		return "", fail("", "nothing follows the @; add the domain")
	case len(s) > 4*MaxDomain: // Longer cannot become short enough as A-labels; do not spend time on it.
		return "", fail("", tooLong, MaxDomain)
	case s[0] == '[':
		return "", fail(s, "an address literal in place of a domain name is not supported; give a domain name")
	case strings.ContainsFunc(s, isForeign):
		return "", fail("", "a character that no domain name has follows the @; give the bare address, without name, brackets, comment or spaces")
	}
	domain, err := idna.Lookup.ToASCII(s)
	domain = strings.ToLower(domain)
	switch {
	case err != nil:
		return "", fail(s, "its domain is not a valid domain name; check the spelling")
	case hasStrayCharacter(domain):
		return "", fail(s, "a character that no domain name has is in its domain; give the bare address, without quotation marks around it")
	case len(domain) > MaxDomain:
		return "", fail(domain, tooLong, MaxDomain)
	}
	for label := range strings.SplitSeq(domain, ".") {
		switch {
		case label == "":
			return "", fail(domain, "its domain has a dot too many; remove it")
		case len(label) > maxLabel:
			return "", fail(domain, "a part of its domain is longer than %d octets; check the spelling", maxLabel)
		}
	}
	return domain, nil
}

// hasStrayCharacter reports whether a domain of A-labels has a character that none may have:
// package idna goes by UTS #46, which still lets the quotation marks and symbols pass that RFC 5892
// took out of domain names (section 2.6, DISALLOWED).
func hasStrayCharacter(domain string) bool {
	if !strings.Contains(domain, "xn--") {
		return false
	}
	// RFC 5892 sections 2.6, 2.8 and appendix A
	const exceptions = "-.\u00b7\u0375\u05f3\u05f4\u06fd\u06fe\u0f0b\u30fb\u200c\u200d"
	domain, err := idna.Lookup.ToUnicode(domain)
	return err != nil || strings.ContainsFunc(domain, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.Nd) && !strings.ContainsRune(exceptions, r)
	})
}

// parseLocalPart checks a local part and returns it without quotes it does not need.
func parseLocalPart(s, domain string) (string, error) {
	switch content, isQuoted := unquote(s); {
	case s == "":
		return "", fail(domain, "nothing stands before the @; add the name of the mailbox")
	case len(s) > MaxLocalPart:
		return "", fail(domain, "its local part, before the @, is longer than %d octets; check it for text that does not belong to it", MaxLocalPart)
	case isQuoted && isDotString(content):
		return content, nil
	case isQuoted: // with as few pairs as possible, so that equal contents give equal texts
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(content) + `"`, nil
	case s[0] == '"':
		return "", fail(domain, "the quotes in its local part, before the @, are not closed or hold a character that is not allowed; give the bare address")
	case isDotString(s):
		return s, nil
	case s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, ".."):
		return "", fail(domain, "its local part, before the @, has a dot too many; remove it")
	case strings.Contains(s, "@"):
		return "", fail(domain, "there is more than one @ in it; give one address")
	}
	return "", fail(domain, "its local part, before the @, has a character that is not allowed; give the bare address, without name, brackets, comment or spaces")
}

// isDotString reports whether s is a Dot-string of RFC 5321 section 4.1.2 with the UTF-8 of RFC
// 6531 section 3.3. Of what lies beyond ASCII it takes letters, marks, numbers, punctuation and
// symbols, but nothing invisible, and no quotation mark at its beginning, where a word processor
// puts one before an address.
func isDotString(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	first, _ := utf8.DecodeRuneInString(s)
	if unicode.In(first, unicode.Pi, unicode.Pf) || first == '‚' || first == '„' {
		return false
	}
	for _, r := range s {
		switch {
		case r >= utf8.RuneSelf:
			if r == utf8.RuneError || !unicode.IsPrint(r) {
				return false
			}
		case r <= ' ' || r == 0x7f || strings.ContainsRune("()<>[]:;@\\,\"", r):
			return false
		}
	}
	return true
}

// quotedString is a Quoted-string, printable ASCII only, and quotedPair one of its pairs.
var (
	quotedString = regexp.MustCompile(`^"((?:[ !#-\[\]-~]|\\[ -~])+)"$`)
	quotedPair   = regexp.MustCompile(`\\(.)`)
)

// unquote returns the content of a Quoted-string, pairs resolved.
func unquote(s string) (string, bool) {
	m := quotedString.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	return quotedPair.ReplaceAllString(m[1], "$1"), true
}

// lower lower-cases letter by letter. A letter beyond ASCII never becomes one of ASCII: the dotted
// capital I of Turkish must not turn somebody's mailbox into somebody else's.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if l := unicode.ToLower(r); (l < utf8.RuneSelf) == (r < utf8.RuneSelf) {
			return l
		}
		return r
	}, s)
}
