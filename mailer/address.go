package mailer

import (
	"fmt"
	"net/mail"
	"strings"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/message"
)

// isSet reports whether there is an address at all.
func isSet(b message.Mailbox) bool { return !b.Address.IsZero() }

// parseMailbox reads a setting such as "Jane Doe <jane@example.com>" or a bare
// address.
func parseMailbox(s string) (message.Mailbox, error) {
	if !strings.ContainsAny(s, "<\" ") {
		a, err := address.Parse(s)
		return message.Mailbox{Address: a}, err
	}
	m, err := mail.ParseAddress(s)
	if err != nil {
		return message.Mailbox{}, fmt.Errorf("not an address; write ADDRESS or NAME <ADDRESS>")
	}
	a, err := address.Parse(m.Address)
	return message.Mailbox{Name: address.CleanName(m.Name, a), Address: a}, err
}

// matchAddress reports whether the address fits one of the patterns: a whole
// address, or *@domain, compared as addresses are: without regard to case, and
// with a domain in letters or as A-labels.
func matchAddress(patterns []string, a address.Address) bool {
	for _, p := range patterns {
		if domain, ok := strings.CutPrefix(p, "*@"); ok {
			if some, err := address.Parse("x@" + domain); err == nil && some.Domain() == a.Domain() {
				return true
			}
			continue
		}
		if address.Equal(p, a.String()) {
			return true
		}
	}
	return false
}

// checkPattern says what is wrong with a pattern of matchAddress.
func checkPattern(p string) error {
	one := p
	if domain, ok := strings.CutPrefix(p, "*@"); ok {
		one = "x@" + domain
	}
	if _, err := address.Parse(one); err != nil {
		return fmt.Errorf("%q is neither an address nor *@domain: %w", p, err)
	}
	return nil
}
