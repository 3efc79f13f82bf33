package submission_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	fault "github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// authority is a file with a certificate authority.
func authority(t testing.TB, pem []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(path, pem, 0o600))
	return path
}

// tlsInbox is an inbox with a login, and the configuration that fits.
func tlsInbox(t *testing.T, o submissiontest.Options) submission.Config {
	t.Helper()
	o.Username, o.Password = "boss", password
	inbox := newInbox(t, o)
	ca := authority(t, inbox.CertificatePEM())
	cfg := submission.Config{
		Host:     "localhost",
		CAFile:   ca,
		Username: "boss",
		Password: password,
		Dial:     inbox.Dial,
		TLS:      submission.TLSStartTLS,
	}
	if o.ImplicitTLS {
		cfg.TLS = submission.TLSImplicit
	}
	return cfg
}

func TestLoginByEachMechanism(t *testing.T) {
	t.Parallel()
	for mode, offered := range map[submission.AuthMode][]string{
		submission.AuthPlain: {"PLAIN"}, submission.AuthLogin: {"LOGIN", "PLAIN"}, submission.AuthCRAMMD5: {"CRAM-MD5"},
		submission.AuthSCRAMSHA256: {"SCRAM-SHA-256"}, submission.AuthXOAUTH2: {"XOAUTH2", "PLAIN"},
		submission.AuthAuto: {"LOGIN", "CRAM-MD5"},
	} {
		for _, implicit := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/implicit=%t", mode, implicit), func(t *testing.T) {
				t.Parallel()
				cfg := tlsInbox(
					t,
					submissiontest.Options{STARTTLS: !implicit, ImplicitTLS: implicit, Mechanisms: offered},
				)
				cfg.Auth = mode
				s := newSubmitter(t, cfg)
				got := s.Submit(t.Context(), envelope, []byte(letter))
				require.NoError(t, got.Err)
				for _, step := range s.Check(t.Context()) {
					assert.True(t, step.OK, "%+v", step)
				}

				cfg.Password = "wrong-" + password
				s = newSubmitter(t, cfg)
				got = s.Submit(t.Context(), envelope, []byte(letter))
				assert.Equal(t, wanted{submission.Refused, submission.StepLogin, false, true}, of(got), "%v", got.Err)
				assert.Equal(t, 535, got.Code)
				steps := s.Check(t.Context())
				require.Len(t, steps, 3)
				assert.False(t, steps[2].OK)
				assert.Contains(t, steps[2].Advice, "Config.Password")
				assert.NotContains(t, fmt.Sprintf("%+v %#v %v", got, got, steps), password)
			})
		}
	}
}

func TestNoUsableLoginIsConfiguration(t *testing.T) {
	t.Parallel()
	for _, offered := range [][]string{nil, {"GSSAPI", "NTLM"}} {
		server := &fault.Server{Mechanisms: offered}
		t.Cleanup(func() { assert.NoError(t, server.Close()) })
		s := newSubmitter(t, submission.Config{Dial: server.Dial, Username: "boss", Password: password})
		got := s.Submit(t.Context(), envelope, []byte(letter))
		assert.Equal(t, wanted{submission.NotBegun, submission.StepLogin, false, true}, of(got))
		assert.ErrorIs(t, got.Err, submission.ErrNoLogin)
		assert.Empty(t, server.Transactions())
	}
	cfg := tlsInbox(t, submissiontest.Options{STARTTLS: true})
	cfg.Username, cfg.Password = "", ""
	got := newSubmitter(t, cfg).Submit(t.Context(), envelope, []byte(letter))
	assert.Equal(t, wanted{submission.Refused, submission.StepMail, false, true}, of(got), "530 asks for a login")
}

func TestTLSTroubleIsConfiguration(t *testing.T) {
	t.Parallel()
	wrongCA := authority(t, fault.NewCertificate().PEM)
	for name, c := range map[string]struct {
		options submissiontest.Options
		change  func(*submission.Config)
		advice  string
	}{
		"unknown authority": {submissiontest.Options{STARTTLS: true},
			func(c *submission.Config) { c.CAFile = wrongCA }, "Config.CAFile"},
		"unknown authority, implicit": {submissiontest.Options{ImplicitTLS: true},
			func(c *submission.Config) { c.CAFile = wrongCA }, "Config.CAFile"},
		"wrong name": {submissiontest.Options{STARTTLS: true},
			func(c *submission.Config) { c.Host = "mail.example.com" }, "Config.Host"},
		"no STARTTLS": {submissiontest.Options{STARTTLS: true}, nil, "Config.TLS"},
		"implicit to a plain port": {submissiontest.Options{STARTTLS: true},
			func(c *submission.Config) { c.TLS = submission.TLSImplicit }, "Config.TLS=starttls"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := tlsInbox(t, c.options)
			if c.change == nil {
				cfg.Dial = newInbox(t, submissiontest.Options{}).Dial
			} else {
				c.change(&cfg)
			}
			s := newSubmitter(t, cfg)
			got := s.Submit(t.Context(), envelope, []byte(letter))
			assert.Equal(t, wanted{submission.NotBegun, submission.StepTLS, false, true}, of(got), "%v", got.Err)
			steps := s.Check(t.Context())
			require.Len(t, steps, 2)
			assert.True(t, steps[0].OK)
			assert.False(t, steps[1].OK)
			assert.Contains(t, steps[1].Advice, c.advice)
		})
	}
}

// A server may say anything, even what it was told.
func TestPasswordStaysSecret(t *testing.T) {
	t.Parallel()
	encoded := base64.StdEncoding.EncodeToString([]byte(password))
	response := base64.StdEncoding.EncodeToString([]byte("\x00boss\x00" + password))
	for _, echo := range []string{password, encoded, response} {
		for _, reply := range []string{"535 5.7.8 not " + echo, "454 4.7.0 " + echo + "!", "what is " + echo,
			"599-" + echo + "\r\n500 x", "299 " + echo} {
			synctest.Test(t, func(t *testing.T) {
				var logged bytes.Buffer
				server, cfg := setting(t, fault.Always(fault.AtAuth, fault.Fault{Reply: reply, Then: fault.Close}))
				cfg.Logger = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
				s := newSubmitter(t, cfg)
				got := s.Submit(t.Context(), envelope, []byte(letter))
				assert.NotEqual(t, submission.Accepted, got.Outcome)
				cfg.Logger.Info("all", "config", cfg, "pointer", &cfg, "submitter", s, "result", got)
				holder := struct {
					cfg submission.Config
					s   *submission.Submitter
				}{s: s}
				all := fmt.Sprintf(
					"%v %+v %#v %s %d %v %+v %#v %v %+v %#v %+v %#v %v",
					cfg,
					cfg,
					cfg,
					cfg,
					cfg,
					s,
					s,
					s,
					got,
					got,
					got,
					holder,
					s,
					s.Check(t.Context()),
				) + logged.String()
				for _, secret := range []string{password, encoded, response} {
					assert.NotContains(t, all, secret)
				}
				assert.NoError(t, server.Close())
			})
		}
	}
}

// A reply that repeats the recipient is kept whole for the record, and cut for
// the error.
func TestErrorsNameNoRecipient(t *testing.T) {
	t.Parallel()
	server := &fault.Server{Script: fault.Always(fault.AtRcpt, fault.Say("550 5.1.1 <Guest@example.org>: unknown"))}
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	got := newSubmitter(t, submission.Config{Dial: server.Dial}).Submit(t.Context(), envelope, []byte(letter))
	assert.Equal(t, "550 5.1.1 <Guest@example.org>: unknown", got.Reply)
	assert.EqualError(t, got.Err, `smtp rcpt: server said "550 5.1.1 <...@example.org>: unknown"`)
}

func TestNewReportsEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := submission.New(
		submission.Config{Host: "", Port: 70000, TLS: "ssl", Auth: "kerberos", HELOName: "my host", Connections: -1,
			RatePerMinute: -1, CAFile: filepath.Join(t.TempDir(), "none"), Username: "boss"},
	)
	require.Error(t, err)
	for _, field := range []string{"Host", "Port", "TLS", "Auth", "HELOName", "Connections", "RatePerMinute",
		"CAFile", "Password"} {
		assert.ErrorContains(t, err, "submission: "+field+" ")
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for name, cfg := range map[string]submission.Config{
		"plaintext off loopback": {Host: "mail.example.com", TLS: submission.TLSNone},
		"login in clear": {Host: "mail.example.com", TLS: submission.TLSNone,
			AllowPlaintext: true, Username: "u", Password: "p"},
		"mechanism without username":      {Host: "mail.example.com", Auth: submission.AuthPlain},
		"password without username":       {Host: "mail.example.com", Password: "p"},
		"host with port":                  {Host: "mail.example.com:587"},
		"line break in the password":      {Host: "mail.example.com", Username: "u", Password: "p\n"},
		"no certificate in the authority": {Host: "mail.example.com", CAFile: empty},
	} {
		_, err := submission.New(cfg)
		var problem *submission.ConfigError
		assert.ErrorAs(t, err, &problem, name)
	}
	for _, cfg := range []submission.Config{
		{Host: "mail.example.com"}, {Host: "127.0.0.1", TLS: submission.TLSNone, Username: "u", Password: "p"},
		{Host: "::1", TLS: submission.TLSNone}, {Host: "mail.example.com", TLS: submission.TLSNone,
			AllowPlaintext: true},
		{Host: "mail.example.com", HELOName: "[192.0.2.1]"}, {Host: "mail.example.com", Username: "u",
			Auth: submission.AuthNone},
	} {
		_, err := submission.New(cfg)
		assert.NoError(t, err, "%v", cfg)
	}
	raw, err := json.Marshal(struct{ Password string }{fmt.Sprint(submission.Config{Password: password})})
	require.NoError(t, err)
	assert.NotContains(t, string(raw), password)
}
