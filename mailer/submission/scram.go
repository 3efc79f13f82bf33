package submission

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail/smtp"
	"golang.org/x/text/secure/precis"
)

const scramName = "SCRAM-SHA-256"

// maxIterations bounds the work that a server may ask for: a second or so. It is three times what
// OWASP recommended for PBKDF2 with SHA-256 in 2023. There is no lower bound: a client that accepts
// PLAIN over the same TLS gains nothing by one.
const maxIterations = 2_000_000

// scram is SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677). It holds the server to its
// part, as go-mail's does not: messages in their order, a bound to the work, and no login without
// the server's signature, since a server that does not show it does not know the password.
type scram struct {
	smtp.Auth // go-mail's

	username, password string
	step               int
	verified           bool
}

// Errors of scram. None of them repeats what the server said.
var (
	errUnproven    = errors.New("server did not prove that it knows the password")
	errIterations  = fmt.Errorf("server asks for more than %d iterations of the hash", maxIterations)
	errScramSyntax = errors.New("server's message does not follow the mechanism")
	errScramText   = errors.New("username or password has characters that the mechanism does not permit (RFC 8265)")
)

// Start implements smtp.Auth.
func (s *scram) Start(*smtp.ServerInfo) (mechanism string, response []byte, err error) {
	for _, text := range []string{s.username, s.password} {
		if _, err := precis.OpaqueString.String(text); err != nil {
			return "", nil, errScramText
		}
	}
	s.Auth = smtp.ScramSHA256Auth(s.username, s.password)
	response, err = s.Auth.Next(nil, true) // the client's first message
	return scramName, response, err
}

// Next implements smtp.Auth.
func (s *scram) Next(fromServer []byte, more bool) ([]byte, error) {
	if !more {
		if !s.verified {
			return nil, errUnproven
		}
		return nil, nil
	}
	s.step++
	kind, rest, _ := strings.Cut(string(fromServer), "=")
	switch {
	case s.step == 1 && kind == "r":
		_, count, _ := strings.Cut(rest, ",i=")
		count, _, _ = strings.Cut(count, ",") // extensions may follow
		iterations, err := strconv.ParseUint(count, 10, 64)
		switch {
		case errors.Is(err, strconv.ErrRange), iterations > maxIterations:
			return nil, errIterations
		case err != nil, iterations == 0:
			return nil, errScramSyntax
		}
		response, err := s.Auth.Next(fromServer, true)
		if err != nil {
			return nil, errScramSyntax
		}
		return response, nil
	case s.step == 2 && kind == "e":
		return nil, nil // the refusal follows
	case s.step == 2 && kind == "v":
		if _, err := s.Auth.Next(fromServer, true); err != nil {
			return nil, errUnproven
		}
		s.verified = true
		return nil, nil
	}
	return nil, errScramSyntax
}
