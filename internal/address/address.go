// Package address reads mail addresses and makes text fit to stand beside them.
//
// One person has one address, however it is written. [Parse] reads an addr-spec and puts its domain
// into the form that goes on the wire: lower case, A-labels. [Address.String] is that form;
// [Address.Key] is the form to compare and to store by, in which the local part is lower case as
// well. RFC 5321 section 2.4 leaves the case of a local part to the host that owns it, but calendar
// clients and the Smart Invites API compare without regard to case, so two spellings must not
// become two people.
//
// [CleanText] and [CleanName] take out of subjects and display names what could break a header or deceive a reader.
//
// Errors name the domain at most, never the whole address: they may be logged.
package address

import (
	"fmt"
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
	// Err is the cause, where there is one.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Domain == "" {
		return "mail address: " + e.Problem
	}
	return fmt.Sprintf("mail address at %q: %s", e.Domain, e.Problem)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Parse reads one addr-spec: no display name, no angle brackets, no comment, no white space around
// it. The local part is a Dot-string or a Quoted-string (RFC 5321 section 4.1.2), UTF-8 allowed
// (RFC 6531 section 3.3); a Quoted-string that needs no quotes loses them. The domain is converted
// to lower-case A-labels (RFC 5891, lookup). Address literals such as [192.0.2.1] are refused.
// Every error is an *[Error].
func Parse(s string) (Address, error) {
	if s == "" {
		return Address{}, &Error{Problem: "it is empty; give one address such as name@example.com"}
	}
	if !utf8.ValidString(s) {
		return Address{}, &Error{Problem: "it is not valid UTF-8; give the address in UTF-8"}
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return Address{}, &Error{Problem: "there is no @ in it; give one address such as name@example.com"}
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
		return Address{}, &Error{Domain: short(domain), Problem: fmt.Sprintf(
			"it is longer than %d octets; check it for text that does not belong to it", MaxAddress)}
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

// LocalPart returns what stands before the @, as given.
func (a Address) LocalPart() string { return a.local }

// Domain returns the domain in lower-case A-labels. It is as much of an address as a log may show.
func (a Address) Domain() string { return a.domain }

// IsZero reports whether a is the zero value, which is no address.
func (a Address) IsZero() bool { return a == Address{} }

// NeedsSMTPUTF8 reports whether the local part goes beyond ASCII, so that only servers with the
// SMTPUTF8 extension can take mail for it (RFC 6531). An internationalized domain does not need it:
// it travels as A-labels.
func (a Address) NeedsSMTPUTF8() bool {
	return strings.IndexFunc(a.local, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0
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
	switch {
	case s == "":
		return "", &Error{Problem: "nothing follows the @; add the domain"}
	case len(s) > 4*MaxDomain: // Longer cannot become short enough as A-labels; do not spend time on it.
		return "", &Error{Problem: fmt.Sprintf(
			"its domain is longer than %d octets; check it for text that does not belong to it", MaxDomain)}
	case s[0] == '[':
		return "", &Error{Domain: short(s),
			Problem: "an address literal in place of a domain name is not supported; give a domain name"}
	case strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r == 0x7f ||
			strings.ContainsRune("<>(),;:\\\"", r)
	}) >= 0:
		return "", &Error{Problem: "a character that no domain name has follows the @; give the bare address, without name, brackets, comment or spaces"}
	}
	domain, err := idna.Lookup.ToASCII(s)
	if err != nil {
		return "", &Error{Domain: short(s), Problem: "its domain is not a valid domain name; check the spelling",
			Err: err}
	}
	domain = strings.ToLower(domain)
	if hasStrayCharacter(domain) {
		return "", &Error{Domain: short(s),
			Problem: "a character that no domain name has is in its domain; give the bare address, without quotation marks around it"}
	}
	if len(domain) > MaxDomain {
		return "", &Error{Domain: short(domain), Problem: fmt.Sprintf(
			"its domain is longer than %d octets; check it for text that does not belong to it", MaxDomain)}
	}
	for label := range strings.SplitSeq(domain, ".") {
		switch {
		case label == "":
			return "", &Error{Domain: short(domain), Problem: "its domain has a dot too many; remove it"}
		case len(label) > maxLabel:
			return "", &Error{Domain: short(domain),
				Problem: fmt.Sprintf("a part of its domain is longer than %d octets; check the spelling", maxLabel)}
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
	fail := func(problem string) (string, error) { return "", &Error{Domain: short(domain), Problem: problem} }
	if s == "" {
		return fail("nothing stands before the @; add the name of the mailbox")
	}
	if len(s) > MaxLocalPart {
		return fail(fmt.Sprintf("its local part, before the @, is longer than %d octets; check it for text that does not belong to it", MaxLocalPart))
	}
	if s[0] == '"' {
		content, ok := unquote(s)
		if !ok {
			return fail("the quotes in its local part, before the @, are not closed or hold a character that is not allowed; give the bare address")
		}
		if isDotString(content) {
			return content, nil
		}
		return quote(content), nil
	}
	if !isDotString(s) {
		switch {
		case s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, ".."):
			return fail("its local part, before the @, has a dot too many; remove it")
		case strings.Contains(s, "@"):
			return fail("there is more than one @ in it; give one address")
		}
		return fail("its local part, before the @, has a character that is not allowed; give the bare address, without name, brackets, comment or spaces")
	}
	return s, nil
}

// isDotString reports whether s is a Dot-string of RFC 5321 section 4.1.2 with the UTF-8 of RFC
// 6531 section 3.3. Of what lies beyond ASCII it takes letters, marks, numbers, punctuation and
// symbols, but nothing invisible, and no quotation mark at its beginning, where a word processor
// puts one before an address.
func isDotString(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	if first, _ := utf8.DecodeRuneInString(s); unicode.In(first, unicode.Pi, unicode.Pf) || first == '‚' ||
		first == '„' {
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

// unquote returns the content of a Quoted-string: printable ASCII only, pairs resolved.
func unquote(s string) (string, bool) {
	if len(s) < 3 || s[len(s)-1] != '"' {
		return "", false
	}
	inner := s[1 : len(s)-1]
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		switch c {
		case '"':
			return "", false
		case '\\':
			if i++; i == len(inner) {
				return "", false
			}
			c = inner[i]
		}
		if c < ' ' || c > '~' {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// quote writes content as a Quoted-string with as few pairs as possible, so that equal contents give equal texts.
func quote(content string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(content) + `"`
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

// short keeps an error readable whatever was given as a domain.
func short(domain string) string {
	const most = 80 // octets
	return safetext.Ellipsis(domain, most)
}
