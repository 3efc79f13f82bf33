package submission

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/loopback"
)

// TLSMode says how a connection is protected.
type TLSMode string

// The ways to protect a connection. The zero value means [TLSStartTLS].
const (
	TLSStartTLS TLSMode = "starttls" // STARTTLS (RFC 3207), mandatory: a server without it is not used
	TLSImplicit TLSMode = "implicit" // TLS from the first byte (RFC 8314 section 3.3)
	TLSNone     TLSMode = "none"     // no TLS; to a loopback host, or with AllowPlaintext
)

// AuthMode says how to log in (RFC 4954).
type AuthMode string

// The ways to log in. The zero value means [AuthAuto].
const (
	AuthAuto        AuthMode = "auto" // the best mechanism both sides know; without a username no login
	AuthPlain       AuthMode = "plain"
	AuthLogin       AuthMode = "login"
	AuthCRAMMD5     AuthMode = "cram-md5"
	AuthSCRAMSHA256 AuthMode = "scram-sha-256"
	AuthXOAUTH2     AuthMode = "xoauth2" // Password is the access token
	AuthNone        AuthMode = "none"
)

// Config says which server takes the messages, and how it is spoken to. Host is required.
//
// However it is printed, username and password are left out.
type Config struct {
	Host string // the server's name or IP address; the name its certificate must carry
	Port int    // default 587, or 465 with TLSImplicit (RFC 8314 section 3.3)

	// TLS is how the connection is protected; default starttls. CAFile is a PEM file with the
	// certificate authorities to trust instead of the system's.
	TLS    TLSMode
	CAFile string
	// AllowPlaintext permits TLSNone to a host that is not loopback. A login is refused there even
	// so.
	AllowPlaintext bool

	Auth     AuthMode // how to log in; default auto
	Username string   `json:"-"`
	Password string   `json:"-"` // or the access token for xoauth2

	// HELOName is the argument of EHLO: a domain name or an address literal (RFC 5321 section
	// 4.1.1.1). Default: the host's name, or "localhost" where that is not a legal one.
	HELOName string

	// RatePerMinute is how many messages are submitted at most in any minute. 0 means no limit.
	RatePerMinute int
	// Connections is how many connections are open at most, each opened when there is a message for
	// it and kept for the next one. Default 2.
	Connections int
	// OpenTimeout is how long it may take to open a connection, all from Dial to the end of the
	// login. Default 30 minutes: each step has a limit of its own (RFC 5321 section 4.5.3.2).
	OpenTimeout time.Duration

	// Dial opens the network connection. Default: a net.Dialer. TLS, when asked for, is spoken over
	// what it returns. It is called by several goroutines at once.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error) `json:"-"`

	Logger *slog.Logger `json:"-"` // default: logs nothing. No address and no secret is ever logged
}

// ConfigError is one thing wrong with a Config. [New] returns all of them, joined; errors.As finds
// the first.
type ConfigError struct {
	Field   string // the field of Config
	Problem string // what is wrong and what to do
}

// Error names the field and what is wrong with it.
func (e *ConfigError) Error() string { return "submission: " + e.Field + " " + e.Problem }

// Format prints the configuration without username and password, for all verbs. Of what else may
// print it, slog's text goes by Format too, and JSON by the tags.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "submission.Config{Host:%q Port:%d TLS:%q Auth:%q login:%t "+
		"Connections:%d RatePerMinute:%d}", c.Host, c.Port, string(c.TLS), string(c.Auth),
		c.Username != "", c.Connections, c.RatePerMinute)
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	c.TLS = cmp.Or(c.TLS, TLSStartTLS)
	c.Auth = cmp.Or(c.Auth, AuthAuto)
	c.Connections = cmp.Or(c.Connections, 2)
	c.OpenTimeout = cmp.Or(c.OpenTimeout, 30*time.Minute)
	if c.Port == 0 {
		c.Port = 587
		if c.TLS == TLSImplicit {
			c.Port = 465
		}
	}
	if c.HELOName == "" {
		c.HELOName = "localhost"
		if name, err := os.Hostname(); err == nil && legalHELO(name) {
			c.HELOName = name
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	return c
}

// check reports every problem of a Config that has its defaults.
func (c Config) check() error {
	var problems []error
	refuse := func(when bool, field, format string, args ...any) {
		if when {
			problems = append(problems, &ConfigError{field, fmt.Sprintf(format, args...)})
		}
	}

	refuse(c.Host == "", "Host", "is missing: give the name of the SMTP server")
	refuse(c.Host != "" && !legalHost(c.Host), "Host",
		"%q is not a host name or IP address: give the name alone, without port or scheme", c.Host)
	refuse(c.Port < 1 || c.Port > 65535, "Port", "%d is not a port: give 1 to 65535", c.Port)
	refuse(!legalHELO(c.HELOName), "HELOName",
		"%q is not a domain name or [address]: give this host's full name", c.HELOName)
	refuse(c.Connections < 1, "Connections", "%d connections cannot send: give 1 or more", c.Connections)
	refuse(c.RatePerMinute < 0, "RatePerMinute", "%d is negative: give 0 for no limit", c.RatePerMinute)
	refuse(c.OpenTimeout < 0, "OpenTimeout", "%s is negative: leave it 0 for the default", c.OpenTimeout)

	switch c.TLS {
	case TLSStartTLS:
		// Client and server would each wait for the other to begin.
		refuse(c.Port == 465, "TLS", "starttls does not go with port 465, which speaks TLS from "+
			"the start: use implicit, or port 587")
	case TLSImplicit:
	case TLSNone:
		local := loopback.Host(c.Host)
		refuse(!local && !c.AllowPlaintext, "TLS",
			"none is for loopback only: use starttls or implicit, or set Config.AllowPlaintext=true")
		refuse(!local && c.logsIn(), "TLS", "none would send the login in clear over the network: "+
			"use starttls or implicit, or leave Config.Username out")
	default:
		refuse(true, "TLS", "%q is unknown: use starttls, implicit or none", string(c.TLS))
	}

	switch c.Auth {
	case AuthAuto, AuthNone:
	case AuthPlain, AuthLogin, AuthCRAMMD5, AuthSCRAMSHA256, AuthXOAUTH2:
		refuse(c.Username == "", "Username", "is missing: Config.Auth=%s needs one", string(c.Auth))
	default:
		refuse(true, "Auth", "%q is unknown: use auto, plain, login, cram-md5, scram-sha-256, "+
			"xoauth2 or none", string(c.Auth))
	}
	refuse(c.logsIn() && c.Password == "", "Password", "is missing: a username needs one")
	refuse(c.Username == "" && c.Password != "" && c.Auth == AuthAuto, "Username",
		"is missing: a password needs one")
	refuse(strings.ContainsAny(c.Username+c.Password, "\x00\r\n"), "Password",
		"username or password holds a line break or NUL: check how it was read")
	return errors.Join(problems...)
}

// logsIn reports whether a login is asked for.
func (c Config) logsIn() bool { return c.Username != "" && c.Auth != AuthNone }

// tlsConfig is what both TLS modes use: TLS 1.2 at least, the certificate checked against Host.
func (c Config) tlsConfig() (*tls.Config, error) {
	conf := &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12,
		DynamicRecordSizingDisabled: true} // a message is of use only when it is whole: one record, one write
	if c.CAFile == "" {
		return conf, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, &ConfigError{"CAFile", err.Error() + ": give a readable PEM file"}
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(pem) {
		return nil, &ConfigError{"CAFile", "no certificate in " + c.CAFile + ": give a PEM file"}
	}
	return conf, nil
}

func legalHost(s string) bool {
	return net.ParseIP(s) != nil || legalDomain(strings.TrimSuffix(s, "."))
}

// legalHELO implements Domain and address-literal of RFC 5321 section 4.1.2.
func legalHELO(s string) bool {
	return addressLiteral(s) || legalDomain(s) && !strings.Contains(s, "_")
}

func addressLiteral(s string) bool {
	inner, ok := strings.CutPrefix(s, "[")
	inner, ok2 := strings.CutSuffix(inner, "]")
	return ok && ok2 && net.ParseIP(strings.TrimPrefix(inner, "IPv6:")) != nil
}

// domainName has letters, digits and inner hyphens in labels of at most 63 octets (RFC 5321 section
// 4.1.2), and underscores, which names in use have.
var domainName = regexp.MustCompile(`^(?:\w|\w[\w-]{0,61}\w)(?:\.(?:\w|\w[\w-]{0,61}\w))*$`)

func legalDomain(s string) bool { return len(s) <= 255 && domainName.MatchString(s) }
