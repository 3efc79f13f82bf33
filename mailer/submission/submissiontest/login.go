package submissiontest

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // CRAM-MD5 is made of it
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
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
	verdict := func(ok bool) error {
		if !ok {
			return smtp.ErrAuthFailed
		}
		s.username = username
		return nil
	}
	check := func(u, p string) error { return verdict(u == username && p == password) }
	switch mechanism {
	case "PLAIN":
		return sasl.NewPlainServer(func(_, u, p string) error { return check(u, p) }), nil
	case "LOGIN":
		return &loginServer{check: check}, nil
	case "XOAUTH2":
		return &xoauth2Server{check: check}, nil
	case "CRAM-MD5":
		return &cramServer{password: password, username: username, verdict: verdict}, nil
	case "SCRAM-SHA-256":
		return &scramServer{password: password, username: username, verdict: verdict}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

// loginServer is LOGIN (draft-murchison-sasl-login).
type loginServer struct {
	check    func(username, password string) error
	step     int
	username string
}

// Next implements sasl.Server.
func (l *loginServer) Next(response []byte) ([]byte, bool, error) {
	if l.step == 0 && response == nil {
		l.step = 1
		return []byte("Username:"), false, nil
	}
	if l.step <= 1 {
		l.step, l.username = 2, string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.username, string(response))
}

// xoauth2Server is XOAUTH2: on failure it sends a challenge with the reason,
// which the client must answer with an empty line.
type xoauth2Server struct {
	check  func(username, token string) error
	failed error
}

// Next implements sasl.Server.
func (x *xoauth2Server) Next(response []byte) ([]byte, bool, error) {
	if x.failed != nil {
		return nil, true, x.failed
	}
	var username, token string
	for field := range strings.SplitSeq(string(response), "\x01") {
		if v, ok := strings.CutPrefix(field, "user="); ok {
			username = v
		}
		if v, ok := strings.CutPrefix(field, "auth=Bearer "); ok {
			token = v
		}
	}
	x.failed = x.check(username, token)
	if x.failed == nil {
		return nil, true, nil
	}
	return []byte(`{"status":"401","schemes":"bearer","scope":"` + strings.Repeat("mail ", 100) + `"}`), false, nil
}

// cramServer is CRAM-MD5 (RFC 2195).
type cramServer struct {
	username, password string
	verdict            func(ok bool) error
	challenge          []byte
}

// Next implements sasl.Server.
func (c *cramServer) Next(response []byte) ([]byte, bool, error) {
	if c.challenge == nil {
		c.challenge = fmt.Appendf(nil, "<%s@localhost>", rand.Text())
		return c.challenge, false, nil
	}
	mac := hmac.New(md5.New, []byte(c.password))
	mac.Write(c.challenge)
	want := c.username + " " + hex.EncodeToString(mac.Sum(nil))
	return nil, true, c.verdict(hmac.Equal([]byte(want), response))
}

// scramServer is SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding.
type scramServer struct {
	username, password string
	verdict            func(ok bool) error

	step                             int
	firstBare, serverFirst, combined string
	salted                           []byte
	outcome                          error
}

// Next implements sasl.Server.
func (s *scramServer) Next(response []byte) ([]byte, bool, error) {
	switch {
	case s.step == 0 && response == nil:
		return []byte{}, false, nil
	case s.step == 0:
		s.step++
		return s.first(string(response))
	case s.step == 1:
		s.step++
		return s.final(string(response))
	}
	return nil, true, s.outcome
}

func (s *scramServer) first(response string) ([]byte, bool, error) {
	bare, ok := strings.CutPrefix(response, "n,,")
	user, nonce, ok2 := strings.Cut(bare, ",r=")
	if !ok || !ok2 || user != "n="+s.username {
		return nil, true, s.verdict(false)
	}
	const rounds = 4096
	salt := []byte(rand.Text())
	var err error
	if s.salted, err = pbkdf2.Key(sha256.New, s.password, salt, rounds, sha256.Size); err != nil {
		return nil, true, err
	}
	s.firstBare, s.combined = bare, nonce+rand.Text()
	s.serverFirst = fmt.Sprintf("r=%s,s=%s,i=%d", s.combined, base64.StdEncoding.EncodeToString(salt), rounds)
	return []byte(s.serverFirst), false, nil
}

func (s *scramServer) final(response string) ([]byte, bool, error) {
	bare, proof, ok := strings.Cut(response, ",p=")
	if !ok || bare != "c=biws,r="+s.combined {
		return nil, true, errors.New("scram: unexpected final message")
	}
	message := s.firstBare + "," + s.serverFirst + "," + bare
	clientKey := sum(s.salted, "Client Key")
	stored := sha256.Sum256(clientKey)
	signature := sum(stored[:], message)
	want := make([]byte, len(clientKey))
	for i := range want {
		want[i] = clientKey[i] ^ signature[i]
	}
	got, err := base64.StdEncoding.DecodeString(proof)
	if s.outcome = s.verdict(err == nil && bytes.Equal(got, want)); s.outcome != nil {
		return nil, true, s.outcome
	}
	return []byte("v=" + base64.StdEncoding.EncodeToString(sum(sum(s.salted, "Server Key"), message))), false, nil
}

func sum(key []byte, message string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	return mac.Sum(nil)
}
