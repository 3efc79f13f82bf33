package submissiontest

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // CRAM-MD5 is made of it
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// AuthMechanisms implements smtp.AuthSession.
func (s *inboxSession) AuthMechanisms() []string {
	if s.inbox.options().Username == "" {
		return nil
	}
	return s.inbox.options().Mechanisms
}

// Auth implements smtp.AuthSession.
func (s *inboxSession) Auth(mechanism string) (sasl.Server, error) {
	username, password := s.inbox.options().Username, s.inbox.options().Password
	check := func(u, p string) error {
		if u != username || p != password {
			return smtp.ErrAuthFailed
		}
		s.username = username
		return nil
	}
	verdict := func(ok bool) error {
		if !ok {
			return smtp.ErrAuthFailed
		}
		return check(username, password)
	}
	switch mechanism {
	case "PLAIN":
		return sasl.NewPlainServer(func(_, u, p string) error { return check(u, p) }), nil
	case "LOGIN":
		return login(check), nil
	case "XOAUTH2":
		return xoauth2(check), nil
	case "CRAM-MD5":
		return cram(username, password, verdict), nil
	case "SCRAM-SHA-256":
		return scram(username, password, verdict), nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

// step takes one response of the client.
type step func(response []byte) (challenge []byte, done bool, err error)

// exchange is a sasl.Server.
type exchange struct {
	prompt []byte // for a first response that did not come with the command; nil: none is wanted
	steps  []step
}

// Next implements sasl.Server.
func (x *exchange) Next(response []byte) (challenge []byte, done bool, err error) {
	prompt := x.prompt
	x.prompt = nil
	if prompt != nil && response == nil {
		return prompt, false, nil
	}
	next := x.steps[0]
	x.steps = x.steps[1:]
	return next(response)
}

// login is LOGIN (draft-murchison-sasl-login).
func login(check func(username, password string) error) *exchange {
	var username string
	return &exchange{[]byte("Username:"), []step{
		func(response []byte) ([]byte, bool, error) {
			username = string(response)
			return []byte("Password:"), false, nil
		},
		func(response []byte) ([]byte, bool, error) { return nil, true, check(username, string(response)) },
	}}
}

// xoauth2 is XOAUTH2: on failure it sends a challenge with the reason, which the client must
// answer with an empty line.
func xoauth2(check func(username, token string) error) *exchange {
	var failed error
	return &exchange{[]byte{}, []step{
		func(response []byte) ([]byte, bool, error) {
			fields := strings.Split(string(response), "\x01")
			user, _ := strings.CutPrefix(fields[0], "user=")
			token, _ := strings.CutPrefix(fields[min(1, len(fields)-1)], "auth=Bearer ")
			if failed = check(user, token); failed == nil {
				return nil, true, nil
			}
			scope := strings.Repeat("mail ", 100)
			return []byte(`{"status":"401","schemes":"bearer","scope":"` + scope + `"}`), false, nil
		},
		func([]byte) ([]byte, bool, error) { return nil, true, failed },
	}}
}

// cram is CRAM-MD5 (RFC 2195).
func cram(username, password string, verdict func(ok bool) error) *exchange {
	challenge := fmt.Appendf(nil, "<%s@localhost>", rand.Text())
	return &exchange{nil, []step{
		func([]byte) ([]byte, bool, error) { return challenge, false, nil },
		func(response []byte) ([]byte, bool, error) {
			mac := hmac.New(md5.New, []byte(password))
			mac.Write(challenge)
			want := username + " " + hex.EncodeToString(mac.Sum(nil))
			return nil, true, verdict(want == string(response))
		},
	}}
}

// scram is SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding.
func scram(username, password string, verdict func(ok bool) error) *exchange {
	const rounds = 4096
	salt, nonce := rand.Text(), rand.Text()
	var bare, serverFirst string
	return &exchange{[]byte{}, []step{
		func(response []byte) ([]byte, bool, error) {
			bare, _ = strings.CutPrefix(string(response), "n,,")
			user, clientNonce, _ := strings.Cut(bare, ",r=")
			if user != "n="+username {
				return nil, true, verdict(false)
			}
			nonce = clientNonce + nonce
			encoded := base64.StdEncoding.EncodeToString([]byte(salt))
			serverFirst = fmt.Sprintf("r=%s,s=%s,i=%d", nonce, encoded, rounds)
			return []byte(serverFirst), false, nil
		},
		func(response []byte) ([]byte, bool, error) {
			salted, err := pbkdf2.Key(sha256.New, password, []byte(salt), rounds, sha256.Size)
			if err != nil {
				return nil, true, err
			}
			final := "c=biws,r=" + nonce // biws is n,, in base64
			message := bare + "," + serverFirst + "," + final
			clientKey := sum(salted, "Client Key")
			stored := sha256.Sum256(clientKey)
			proof := sum(stored[:], message)
			subtle.XORBytes(proof, proof, clientKey)
			want := final + ",p=" + base64.StdEncoding.EncodeToString(proof)
			if err := verdict(want == string(response)); err != nil {
				return nil, true, err
			}
			signature := sum(sum(salted, "Server Key"), message)
			return []byte("v=" + base64.StdEncoding.EncodeToString(signature)), false, nil
		},
		func([]byte) ([]byte, bool, error) { return nil, true, nil },
	}}
}

func sum(key []byte, message string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	return mac.Sum(nil)
}
