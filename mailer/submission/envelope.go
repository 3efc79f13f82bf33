package submission

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/safetext"
)

// Envelope is who a message is from and to, as the server is told (RFC 5321 section 2.3.1). Both
// are bare addresses: no name, no angle brackets, domains as A-labels unless SMTPUTF8.
type Envelope struct {
	From string // gets the bounces
	To   string // one message, one recipient

	// SMTPUTF8 asks for that extension (RFC 6531). Set it only when an address or a header needs
	// it: a later hop without it bounces the message. A server that does not offer it refuses.
	SMTPUTF8 bool
}

// content is a message that is fit to be sent, and what the server must know about it beforehand.
type content struct {
	msg      []byte
	eightBit bool
	none     bool // there is no message: see Submitter.Probe
}

// size is the message's size as RFC 1870 section 5 counts it.
func (c content) size() int64 {
	n := len(c.msg)
	if !bytes.HasSuffix(c.msg, crlf) {
		n += len(crlf)
	}
	return int64(n)
}

var crlf = []byte("\r\n")

// examine refuses what no server may be sent.
func examine(env Envelope, msg []byte) (content, *Error) {
	if e := env.examine(); e != nil {
		return content{}, e
	}
	bad := func(err error, advice string) (content, *Error) { return content{}, unfit(err, advice) }
	if len(msg) == 0 {
		return bad(fmt.Errorf("%w: it is empty", errBadMessage), "compose it first")
	}
	if at, what := bareLineEnd(msg); at >= 0 {
		return bad(fmt.Errorf("%w: bare %s at byte %d", errBadMessage, what, at),
			"end each line with CRLF (RFC 5321 section 2.3.8)")
	}
	return content{msg: msg, eightBit: bytes.ContainsFunc(msg, beyondASCII)}, nil
}

// examine refuses addresses that no server may be sent.
func (e Envelope) examine() *Error {
	if err := checkAddress(e.From, e.SMTPUTF8); err != nil {
		return unfit(fmt.Errorf("%w: envelope sender: %w", errBadMessage, err),
			"set a plain address (mailer.Config.EnvelopeFrom)")
	}
	if err := checkAddress(e.To, e.SMTPUTF8); err != nil {
		return unfit(fmt.Errorf("%w: recipient: %w", errBadMessage, err), "give one plain address")
	}
	return nil
}

func unfit(err error, advice string) *Error {
	return &Error{Step: StepInput, Err: err, Advice: advice, permanent: true}
}

// bareLineEnd finds the first LF without CR or CR without LF, else -1.
func bareLineEnd(msg []byte) (at int, what string) {
	for i, b := range msg {
		switch {
		case b == '\n' && (i == 0 || msg[i-1] != '\r'):
			return i, "LF"
		case b == '\r' && (i+1 == len(msg) || msg[i+1] != '\n'):
			return i, "CR"
		}
	}
	return -1, ""
}

// checkAddress accepts Mailbox (RFC 5321 section 4.1.2, RFC 6531 section 3.3). Nothing that it
// accepts can break out of its command. Its errors do not repeat the address.
func checkAddress(addr string, utf8Allowed bool) error {
	at := strings.LastIndexByte(addr, '@')
	if at < 0 || len(addr) > address.MaxAddress {
		return fmt.Errorf("the address has no @, or more than %d octets", address.MaxAddress)
	}
	// The domain is looked at apart: address takes no literals.
	local, domain := addr[:at], addr[at+1:]
	var bad *address.Error
	if _, err := address.Parse(local + "@example.org"); errors.As(err, &bad) {
		return errors.New(bad.Problem)
	}
	switch {
	case !utf8Allowed && strings.ContainsFunc(addr, beyondASCII):
		return fmt.Errorf("the address is not ASCII: it needs SMTPUTF8, or its domain as A-labels")
	case !legalMailDomain(domain):
		return fmt.Errorf("the domain is not a domain name")
	}
	return nil
}

func beyondASCII(r rune) bool { return r >= utf8.RuneSelf }

func legalMailDomain(domain string) bool {
	// U-labels, where they are allowed at all, count as letters.
	ascii := strings.Map(func(r rune) rune {
		if beyondASCII(r) && r != utf8.RuneError {
			return 'u'
		}
		return r
	}, domain)
	return addressLiteral(domain) || legalDomain(ascii)
}

// withoutAddresses hides the local parts of both addresses in a server's text, for errors and logs.
func (e Envelope) withoutAddresses(s string) string {
	for _, addr := range []string{e.To, e.From} {
		at := strings.LastIndexByte(addr, '@')
		if at < 1 {
			continue
		}
		s = safetext.ReplaceFold(s, addr, "..."+addr[at:])
	}
	return s
}
