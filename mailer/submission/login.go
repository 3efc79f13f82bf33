package submission

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"

	"github.com/invitemailer/invitemailer/internal/loopback"
)

// autoMechanisms is what AuthAuto tries, best first. PLAIN stands before CRAM-MD5: a login is
// protected by TLS or never leaves the machine, and many servers that offer CRAM-MD5 keep no
// password it can work with.
var autoMechanisms = []AuthMode{AuthSCRAMSHA256, AuthPlain, AuthLogin, AuthCRAMMD5}

// maxChallenges is how many challenges a login may have: no mechanism has more than three.
const maxChallenges = 5

// mechanismFor returns the implementation of mode. None of them needs to judge whether the
// connection is safe: login has done so.
func (s *Submitter) mechanismFor(mode AuthMode) smtp.Auth {
	user, password := s.login()
	switch mode {
	case AuthPlain:
		return smtp.PlainAuth("", user, password, s.cfg.Host, true)
	case AuthLogin:
		return smtp.LoginAuth(user, password, s.cfg.Host, true)
	case AuthCRAMMD5:
		return smtp.CRAMMD5Auth(user, password)
	case AuthXOAUTH2:
		return smtp.XOAuth2Auth(user, password)
	}
	return &scram{username: user, password: password}
}

// choose returns the mechanism out of those that the server offers, or "".
func (s *Submitter) choose(offered []string) AuthMode {
	candidates := autoMechanisms
	if s.cfg.Auth != AuthAuto {
		candidates = []AuthMode{s.cfg.Auth}
	}
	for _, mode := range candidates {
		if slices.Contains(offered, strings.ToUpper(string(mode))) {
			return mode
		}
	}
	return ""
}

// login logs in (RFC 4954 section 4), if a login is asked for. Most mechanisms are go-mail's; the
// exchange is not, because after a refusal go-mail goes on to say "*" and QUIT, and waits for the
// answers to both.
func (c *session) login(ctx context.Context) *Error {
	s := c.s
	if !s.logsIn {
		return nil
	}
	if c.tls == nil && !loopback.Host(s.cfg.Host) {
		return unusable(fmt.Errorf("%w: the connection is not protected", errNoLogin),
			"set Config.TLS to starttls or implicit")
	}
	mode := s.choose(c.ext.mechanism)
	if mode == "" {
		return unusable(fmt.Errorf("%w: it offers %q", errNoLogin, c.ext.mechanism),
			"set Config.Auth to one of these, or leave Config.Username out if the server needs no login")
	}
	auth := s.mechanismFor(mode)
	name, response, err := auth.Start(&smtp.ServerInfo{Name: s.cfg.Host, TLS: c.tls != nil, Auth: c.ext.mechanism})
	if err != nil {
		return unusable(fmt.Errorf("login %s: %w", mode, err), "set another Config.Auth")
	}
	_, password := s.login()
	c.hidden = []string{password, base64.StdEncoding.EncodeToString([]byte(password))}
	line := "AUTH " + name
	if len(response) > 0 {
		encoded := base64.StdEncoding.EncodeToString(response)
		c.hidden = append(c.hidden, encoded)
		line += " " + encoded
	}
	for range maxChallenges + 1 {
		r, e := c.exchange(ctx, StepLogin, commandTimeout, line)
		if e != nil {
			return e
		}
		var challenge []byte
		switch r.code {
		case 334:
			challenge, err = base64.StdEncoding.DecodeString(r.lines[len(r.lines)-1])
		case 235:
			challenge = []byte(r.text)
		default:
			return loginRefused(r, name)
		}
		if err == nil {
			response, err = next(ctx, auth, challenge, r.code == 334)
		}
		if ctx.Err() != nil {
			c.broken = true
			return &Error{Step: StepLogin, Err: context.Cause(ctx)}
		}
		switch {
		case err != nil:
			return challengeNotAnswered(name, err)
		case r.code == 235:
			c.mechanism, c.hidden = name, nil
			return nil
		}
		line = base64.StdEncoding.EncodeToString(response)
		if line != "" {
			c.hidden = append(c.hidden, line)
		}
	}
	c.broken = true
	return &Error{Step: StepLogin,
		Err: fmt.Errorf("%w: login %s has more than %d challenges", errOutOfStep, name, maxChallenges)}
}

// challengeNotAnswered is for a server that does not keep to the mechanism. What go-mail says of
// that may repeat the challenge, and is left out.
func challengeNotAnswered(mechanism string, err error) *Error {
	advice := "set another Config.Auth"
	switch {
	case errors.Is(err, errUnproven):
		advice = "the login was given up; make sure that Config.Host is the server it should be, or " + advice
	case mechanism != scramName:
		err = errors.New("server's challenge was not answered")
		advice = "the server does not follow the mechanism, or does not know the password: " + advice
	}
	return unusable(fmt.Errorf("login %s: %w", mechanism, err), advice)
}

// unusable is the error for a login that other settings are needed for.
func unusable(err error, advice string) *Error {
	return &Error{Step: StepLogin, Err: err, Advice: advice, config: true}
}

// loginRefused reads RFC 4954 section 6: 454 and other 4xx pass, 5xx do not.
// next is auth.Next for as long as ctx lasts: hashing a password can take a second.
func next(ctx context.Context, auth smtp.Auth, challenge []byte, more bool) (response []byte, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		response, err = auth.Next(challenge, more)
	}()
	select {
	case <-done:
		return response, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func loginRefused(r reply, mechanism string) *Error {
	if !r.refuses() {
		return outOfStep(StepLogin, r)
	}
	e := refusal(StepLogin, r)
	if r.class() == 5 {
		e.config = true
		e.Err = fmt.Errorf("login %s refused", mechanism)
		e.Advice = "check Config.Username and Config.Password, and that the account may submit mail"
	}
	return e
}
