package mailer

import (
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/message"
)

func isSet(b message.Mailbox) bool { return !b.Address.IsZero() }

// parseMailbox reads a setting such as "Jane Doe <jane@example.com>" or a bare address.
func parseMailbox(s string) (message.Mailbox, error) {
	if !strings.ContainsAny(s, "<\" ") {
		a, err := address.Parse(s)
		return message.Mailbox{Address: a}, err
	}
	m, err := mail.ParseAddress(s)
	if err != nil {
		return message.Mailbox{}, errors.New("not an address; write ADDRESS or NAME <ADDRESS>")
	}
	return Organizer{m.Name, m.Address}.mailbox()
}

func (m *Mailer) fromAllowed(a address.Address) bool {
	return len(m.cfg.FromDomains) == 0 ||
		slices.ContainsFunc(m.cfg.FromDomains, func(domain string) bool { return matches("*@"+domain, a) })
}

func (m *Mailer) toAllowed(a address.Address) bool {
	return len(m.cfg.OnlyTo) == 0 ||
		slices.ContainsFunc(m.cfg.OnlyTo, func(pattern string) bool { return matches(pattern, a) })
}

// matches reports whether the address fits a pattern: a whole address, or *@domain. Case does not
// matter, and a domain may be in letters or as A-labels.
func matches(pattern string, a address.Address) bool {
	if domain, ok := strings.CutPrefix(pattern, "*@"); ok {
		some, err := address.Parse("x@" + domain)
		return err == nil && some.Domain() == a.Domain()
	}
	return address.Equal(pattern, a.String())
}

func checkPattern(p string) error {
	example := p
	if domain, ok := strings.CutPrefix(p, "*@"); ok {
		example = "x@" + domain
	}
	if _, err := address.Parse(example); err != nil {
		return fmt.Errorf("%q is neither an address nor *@domain: %w", p, err)
	}
	return nil
}

func checkDomain(domain string) error {
	_, err := address.Parse("x@" + domain)
	return err
}
