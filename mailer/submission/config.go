package submission

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
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

// Timeouts limit how long each step may wait for the server. A zero field
// takes its default; the defaults are those of RFC 5321 section 4.5.3.2.
type Timeouts struct {
	Connect time.Duration // the network connection, an implicit TLS handshake, a NOOP or RSET on a kept connection, MAIL and RCPT in the first group: 30s
	Command time.Duration // greeting, EHLO, STARTTLS and its handshake, each AUTH line, MAIL, RCPT: 5m
	Data    time.Duration // the answer to DATA: 2m
	Block   time.Duration // writing one block of content: 3m
	Dot     time.Duration // the answer to the final dot: 10m

	// Open is how long it may take to open a connection, all from Dial to the
	// end of the login. Default: as long as these steps may take one by one.
	Open time.Duration
}

func (t Timeouts) withDefaults() Timeouts {
	return Timeouts{
		Connect: cmp.Or(t.Connect, 30*time.Second),
		Command: cmp.Or(t.Command, 5*time.Minute),
		Data:    cmp.Or(t.Data, 2*time.Minute),
		Block:   cmp.Or(t.Block, 3*time.Minute),
		Dot:     cmp.Or(t.Dot, 10*time.Minute),
		Open:    t.Open,
	}
}

// Config says which server takes the messages, and how it is spoken to.
//
// However it is printed (every verb of fmt, and slog), the username and the
// password are left out.
type Config struct {
	Auth AuthMode // how to log in; default auto

	// AllowPlaintext permits TLSNone to a host that is not loopback. A login
	// is refused there even so.
	AllowPlaintext bool

	// CAFile is a PEM file with the certificate authorities to trust instead
	// of the system's.
	CAFile string

	// Connections is how many connections are open at most, each opened when
	// there is a message for it and kept for the next one. Default 2.
	Connections int

	// Dial opens the network connection. Default: a net.Dialer. TLS, when
	// asked for, is spoken over what it returns.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// HELOName is the argument of EHLO: a domain name or an address literal
	// (RFC 5321 section 4.1.1.1). Default: the host's name, or "localhost"
	// where that is not a legal one.
	HELOName string

	// IdleLimit is how long a connection that nobody uses is kept. Default 4
	// minutes: a server may close it after 5 (RFC 5321 section 4.5.3.2.7).
	IdleLimit time.Duration

	// MessagesPerConnection is after how many messages a connection is
	// replaced. Default 100, after which many servers close it; a negative
	// number is no limit.
	MessagesPerConnection int

	Host   string       // the server's name or IP address; the name its certificate must carry
	Logger *slog.Logger // default: logs nothing. No address and no secret is ever logged

	Password string `json:"-"` // or the access token for xoauth2

	// Port is the server's port. Default 587, or 465 with TLSImplicit
	// (RFC 8314 section 3.3).
	Port int

	// RatePerMinute is how many messages are submitted at most in any
	// minute. 0 means no limit.
	RatePerMinute int

	Timeouts Timeouts
	TLS      TLSMode // default starttls
	Username string
}

// ConfigError is one thing wrong with a Config. [New] returns all of them,
// joined; errors.As finds the first.
type ConfigError struct {
	Field   string // the field of Config
	Setting string // the environment variable that the command reads it from
	Problem string // what is wrong and what to do
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("submission: %s (%s): %s", e.Field, e.Setting, e.Problem)
}

// Format prints the configuration without username and password.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, c.public())
}

// LogValue logs the configuration without username and password.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.public()) }

func (c Config) public() string {
	login := "no"
	if c.Username != "" {
		login = "yes"
	}
	return fmt.Sprintf("submission.Config{Host:%q Port:%d TLS:%q Auth:%q login:%s Connections:%d RatePerMinute:%d}",
		c.Host, c.Port, string(c.TLS), string(c.Auth), login, c.Connections, c.RatePerMinute)
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	c.TLS = cmp.Or(c.TLS, TLSStartTLS)
	c.Auth = cmp.Or(c.Auth, AuthAuto)
	c.Connections = cmp.Or(c.Connections, 2)
	c.Timeouts = c.Timeouts.withDefaults()
	c.IdleLimit = cmp.Or(c.IdleLimit, 4*time.Minute)
	c.MessagesPerConnection = cmp.Or(c.MessagesPerConnection, 100)
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
	wrong := func(bad bool, field, setting, format string, args ...any) {
		if bad {
			problems = append(problems, &ConfigError{field, setting, fmt.Sprintf(format, args...)})
		}
	}

	wrong(c.Host == "", "Host", "SMTP_HOST", "is missing: give the name of the SMTP server")
	wrong(c.Host != "" && !legalHost(c.Host), "Host", "SMTP_HOST",
		"%q is not a host name or IP address: give the name alone, without port or scheme", c.Host)
	wrong(c.Port < 1 || c.Port > 65535, "Port", "SMTP_PORT", "%d is not a port: give 1 to 65535", c.Port)
	wrong(!legalHELO(c.HELOName), "HELOName", "SMTP_HELO_NAME",
		"%q is not a domain name or [address]: give this host's full name", c.HELOName)
	wrong(c.Connections < 1, "Connections", "SMTP_CONNECTIONS", "%d connections cannot send: give 1 or more", c.Connections)
	wrong(c.RatePerMinute < 0, "RatePerMinute", "SMTP_RATE_PER_MINUTE", "%d is negative: give 0 for no limit", c.RatePerMinute)
	wrong(c.IdleLimit < 0, "IdleLimit", "no variable", "%s is negative: leave it 0 for the default", c.IdleLimit)
	t := c.Timeouts
	wrong(min(t.Connect, t.Command, t.Data, t.Block, t.Dot, t.Open) < 0, "Timeouts", "no variable", "a time-out is negative: leave it 0 for the default")

	switch c.TLS {
	case TLSStartTLS:
		// Client and server would each wait for the other to begin.
		wrong(c.Port == 465, "TLS", "SMTP_TLS", "starttls does not go with port 465, which speaks TLS from the start: use implicit, or port 587")
	case TLSImplicit:
	case TLSNone:
		local := loopback.Host(c.Host)
		wrong(!local && !c.AllowPlaintext, "TLS", "SMTP_TLS",
			"none is for loopback only: use starttls or implicit, or set SMTP_ALLOW_PLAINTEXT=true")
		wrong(!local && c.logsIn(), "TLS", "SMTP_TLS",
			"none would send the login in clear over the network: use starttls or implicit, or leave SMTP_USERNAME out")
	default:
		wrong(true, "TLS", "SMTP_TLS", "%q is unknown: use starttls, implicit or none", string(c.TLS))
	}

	switch c.Auth {
	case AuthAuto, AuthNone:
	case AuthPlain, AuthLogin, AuthCRAMMD5, AuthSCRAMSHA256, AuthXOAUTH2:
		wrong(c.Username == "", "Username", "SMTP_USERNAME", "is missing: SMTP_AUTH=%s needs one", string(c.Auth))
	default:
		wrong(true, "Auth", "SMTP_AUTH",
			"%q is unknown: use auto, plain, login, cram-md5, scram-sha-256, xoauth2 or none", string(c.Auth))
	}
	wrong(c.logsIn() && c.Password == "", "Password", "SMTP_PASSWORD", "is missing: a username needs one")
	wrong(c.Username == "" && c.Password != "" && c.Auth == AuthAuto, "Username", "SMTP_USERNAME",
		"is missing: a password needs one")
	wrong(strings.ContainsAny(c.Username+c.Password, "\x00\r\n"), "Password", "SMTP_PASSWORD",
		"username or password holds a line break or NUL: check how it was read")
	return errors.Join(problems...)
}

// logsIn reports whether a login is asked for.
func (c Config) logsIn() bool { return c.Username != "" && c.Auth != AuthNone }

// tlsConfig is what both TLS modes use: TLS 1.2 at least, the certificate
// checked against Host.
func (c Config) tlsConfig() (*tls.Config, error) {
	conf := &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12,
		DynamicRecordSizingDisabled: true} // a message is of use only when it is whole: one record, one write
	if c.CAFile == "" {
		return conf, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("submission: CAFile (SMTP_TLS_CA_FILE): %w: give a readable PEM file", err)
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(pem) {
		return nil, &ConfigError{"CAFile", "SMTP_TLS_CA_FILE", "no certificate in " + c.CAFile + ": give a PEM file"}
	}
	return conf, nil
}

func legalHost(s string) bool {
	return net.ParseIP(s) != nil || legalDomain(strings.TrimSuffix(s, "."), true)
}

// legalHELO implements Domain and address-literal of RFC 5321 section 4.1.2.
func legalHELO(s string) bool {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return ok && net.ParseIP(strings.TrimPrefix(inner, "IPv6:")) != nil
	}
	return legalDomain(s, false)
}

// legalDomain accepts letters, digits and inner hyphens in labels of at most
// 63 octets (RFC 5321 section 4.1.2); underscores too where names in use have
// them.
func legalDomain(s string, underscore bool) bool {
	if s == "" || len(s) > 255 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			b := label[i]
			if !alphanumeric(b) && b != '-' && (b != '_' || !underscore) {
				return false
			}
		}
	}
	return true
}

func alphanumeric(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}
