package submission

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail/smtp"
	"golang.org/x/text/secure/precis"
)

// maxIterations bounds the work that a server may ask for: a second or so. It is three times what
// OWASP recommended for PBKDF2 with SHA-256 in 2023. There is no lower bound: a client that accepts
// PLAIN over the same TLS gains nothing by one.
const maxIterations = 2_000_000

const scramName = "SCRAM-SHA-256"

// scram is SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677). It holds the server to its
// part, as go-mail's scram does not: a server that does not show its signature does not know the
// password.
type scram struct {
	username, password string
	nonce              string // of ours; printable and without comma

	step      int
	firstBare string
	signature []byte // what the server must show
	verified  bool
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
	username, err := precis.OpaqueString.String(s.username)
	if err != nil {
		return "", nil, errScramText
	}
	s.firstBare = "n=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(username) + ",r=" + s.nonce
	return scramName, []byte("n,," + s.firstBare), nil
}

// Next implements smtp.Auth.
func (s *scram) Next(fromServer []byte, more bool) ([]byte, error) {
	s.step++
	switch {
	case !more && s.verified:
		return nil, nil
	case !more:
		return nil, errUnproven
	case s.step == 1:
		return s.prove(string(fromServer))
	case s.step == 2 && strings.HasPrefix(string(fromServer), "e="):
		return nil, nil // the refusal follows
	case s.step == 2:
		return nil, s.verify(string(fromServer))
	}
	return nil, errScramSyntax
}

// prove answers the server's first message, and works out how it must answer.
func (s *scram) prove(serverFirst string) ([]byte, error) {
	fields := strings.SplitN(serverFirst, ",", 4) // extensions may follow
	if len(fields) < 3 {
		return nil, errScramSyntax
	}
	nonce, ok := strings.CutPrefix(fields[0], "r=")
	salt64, ok2 := strings.CutPrefix(fields[1], "s=")
	count, ok3 := strings.CutPrefix(fields[2], "i=")
	if !ok || !ok2 || !ok3 || !strings.HasPrefix(nonce, s.nonce) || nonce == s.nonce {
		return nil, errScramSyntax // the server must put its own part behind ours (RFC 5802 section 5.1)
	}
	salt, err := base64.StdEncoding.DecodeString(salt64)
	if err != nil {
		return nil, errScramSyntax
	}
	iterations, err := strconv.ParseUint(count, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) || err == nil && iterations > maxIterations:
		return nil, errIterations
	case err != nil || iterations == 0:
		return nil, errScramSyntax
	}
	password, err := precis.OpaqueString.String(s.password)
	if err != nil {
		return nil, errScramText
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, int(iterations), sha256.Size)
	if err != nil {
		return nil, err
	}
	final := "c=biws,r=" + nonce // biws is n,, in base64
	message := s.firstBare + "," + serverFirst + "," + final
	clientKey := mac(salted, "Client Key")
	stored := sha256.Sum256(clientKey)
	proof := mac(stored[:], message)
	subtle.XORBytes(proof, proof, clientKey)
	s.signature = mac(mac(salted, "Server Key"), message)
	return []byte(final + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

// verify reads the server's last message.
func (s *scram) verify(serverFinal string) error {
	field, _, _ := strings.Cut(serverFinal, ",") // extensions may follow
	signature64, ok := strings.CutPrefix(field, "v=")
	signature, err := base64.StdEncoding.DecodeString(signature64)
	if !ok || err != nil {
		return errScramSyntax
	}
	if !hmac.Equal(signature, s.signature) {
		return errUnproven
	}
	s.verified = true
	return nil
}

func mac(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}
