package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/loopback"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// configuration is what the settings mean.
type configuration struct {
	api       cronofy.Config
	smtp      submission.Config
	mail      mailer.Config
	ledger    sqlite.Options
	noLedger  bool
	level     slog.Level
	json      bool   // of the log
	templates string // a directory laid over the embedded ones

	// Of serve alone.
	listen, admin   string
	callbackSecrets []string
	adminToken      string
}

// Format implements fmt.Formatter: no secret is printed. Package fmt ignores that of private fields.
func (configuration) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "configuration{hidden}") }

// scope is how much of the configuration a run needs.
type scope int

const (
	scopeLog     scope = iota // nothing but the log
	scopeLedger               // and a ledger, which is read
	scopeServe                // the ledger, what serve needs, and the API if there is a key
	scopeSandbox              // neither API nor SMTP nor ledger
	scopeDryRun               // the ledger, and which API it belongs to
	scopeAPI                  // the ledger and the API, with the key
	scopeReal                 // everything
)

// configure reads the settings as far as the scope goes, and reports every problem with them.
func configure(s settings, sc scope, p *problems) *configuration {
	c := &configuration{}
	c.setLog(s, p)
	switch sc {
	case scopeLog:
		c.listen, c.mail.CallbackURL = s.Listen, s.CallbackURL
	case scopeLedger:
		c.setLedger(s, "nothing is remembered", p)
		if s.Application == "" {
			c.ledger.APIKeys = keyAtHand(s)
		}
	case scopeServe:
		c.setLedger(s, "no answer could be kept", p)
		c.setServe(s, p)
	case scopeSandbox:
		c.ledger.Memory = true
		c.setMail(s, p)
	case scopeDryRun, scopeReal:
		c.setLedger(s, "", p)
		c.setMail(s, p)
		c.mail.EnvelopeFrom = s.SMTPEnvelopeFrom
		c.setAPI(s, sc == scopeReal, p)
		if sc == scopeReal {
			c.setSubmission(s, p)
		}
	case scopeAPI:
		c.setLedger(s, "nothing is remembered", p)
		c.setAPI(s, true, p)
	}
	return c
}

func (c *configuration) setLog(s settings, p *problems) {
	if err := c.level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		p.add("INVITEMAILER_LOG_LEVEL", "%q is no level; use debug, info, warn or error", s.LogLevel)
	}
	if c.json = s.Log == "json"; !c.json && s.Log != "text" {
		p.add("INVITEMAILER_LOG", "%q is unknown; use text or json", s.Log)
	}
}

// setLedger reads where the ledger is. There must be one if without says what is lost without it.
func (c *configuration) setLedger(s settings, without string, p *problems) {
	const setting = "INVITEMAILER_LEDGER"
	c.ledger.Application = s.Application
	path, isSQLite := strings.CutPrefix(s.Ledger, "sqlite:")
	switch {
	case s.Ledger == "none":
		if c.noLedger = true; without != "" {
			p.add(setting, "is none, so %s; name the ledger as sqlite:PATH", without)
		}
	case s.Ledger == "":
		dir, err := stateDir()
		if err != nil {
			p.add(setting, "is not set, and there is no place for it by default: %v; "+
				"set it to sqlite:PATH or none, or set HOME", err)
		}
		c.ledger.Path = filepath.Join(dir, "invitemailer", "ledger.sqlite")
	case isSQLite && path != "":
		c.ledger.Path = path
	default:
		p.add(setting, "%q is unknown; use sqlite:PATH or none", s.Ledger)
	}
}

// stateDir is for what programs remember: XDG's, or where that is not used the one for settings.
func stateDir() (string, error) {
	switch runtime.GOOS {
	case "windows", "darwin", "ios", "plan9":
		return os.UserConfigDir()
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("HOME is not set")
	}
	return filepath.Join(home, ".local", "state"), nil
}

func (c *configuration) setMail(s settings, p *problems) {
	c.templates = s.Templates
	c.mail = mailer.Config{
		From: s.MailFrom, ReplyTo: s.MailReplyTo,
		FromDomains: s.MailFromDomains.list("MAIL_FROM_DOMAINS", p), OnlyTo: s.MailOnlyTo.list("MAIL_ONLY_TO", p),
		Organizer: mailer.Organizer{Name: s.OrganizerName, Email: s.OrganizerEmail},
		Locale:    s.Locale, CallbackURL: s.CallbackURL,
	}
	if _, err := language.Parse(s.Locale); err != nil {
		p.add("INVITEMAILER_LOCALE", "%q is no language tag; use one such as en or pt-BR", s.Locale)
	}
}

// setAPI reads what the client of the API needs. A key that is not needed is only looked up.
func (c *configuration) setAPI(s settings, needsKey bool, p *problems) {
	c.api = cronofy.Config{
		APIKey: unread, BaseURL: s.APIURL, DataCenter: s.DataCenter,
		RatePerSecond: rate("CRONOFY_RATE_PER_SECOND", s.RatePerSecond, p),
		RatePerMinute: rate("CRONOFY_RATE_PER_MINUTE", s.RatePerMinute, p),
	}
	timeout, err := time.ParseDuration(s.APITimeout)
	if err != nil || timeout <= 0 {
		p.add("CRONOFY_TIMEOUT", "%q is no time; use one such as 30s", s.APITimeout)
	}
	c.api.Timeout = max(0, timeout)
	if !needsKey {
		c.ledger.APIKeys = keyAtHand(s)
		return
	}
	c.api.APIKey = secret(s.APIKey, s.APIKeyFile, "CRONOFY_API_KEY", p)
	c.ledger.APIKeys = sqlite.Secrets{c.api.APIKey}
}

// keyAtHand is the API key, if there is one that can be read, for a run that does not need it.
func keyAtHand(s settings) sqlite.Secrets {
	if key := secret(s.APIKey, s.APIKeyFile, "CRONOFY_API_KEY", &problems{}); key != "" && key != unread {
		return sqlite.Secrets{key}
	}
	return nil
}

func (c *configuration) setSubmission(s settings, p *problems) {
	c.smtp = submission.Config{
		Host: s.SMTPHost, TLS: submission.TLSMode(s.SMTPTLS), Auth: submission.AuthMode(s.SMTPAuth),
		CAFile: s.SMTPCAFile, HELOName: s.SMTPHELOName, Username: s.SMTPUsername,
		Password:      secret(s.SMTPPassword, s.SMTPPasswordFile, "SMTP_PASSWORD", p),
		Port:          number("SMTP_PORT", s.SMTPPort, 1, p),
		Connections:   number("SMTP_CONNECTIONS", s.SMTPConnections, 1, p),
		RatePerMinute: number("SMTP_RATE_PER_MINUTE", s.SMTPRatePerMinute, 0, p),
	}
	plaintext, err := strconv.ParseBool(s.SMTPPlaintext)
	if err != nil {
		p.add("SMTP_ALLOW_PLAINTEXT", "%q is neither true nor false", s.SMTPPlaintext)
	}
	c.smtp.AllowPlaintext = plaintext
}

// setServe reads the settings that only serve has.
func (c *configuration) setServe(s settings, p *problems) {
	c.listen, c.admin = s.Listen, s.Admin
	if s.APIKey != "" || s.APIKeyFile != "" {
		c.setAPI(s, true, p)
		c.callbackSecrets = []string{c.api.APIKey}
	}
	const more = "CRONOFY_CALLBACK_SECRETS"
	text := secret(s.CallbackSecrets, s.CallbackSecretsFile, more, p)
	c.callbackSecrets = append(c.callbackSecrets, list(more, text, p)...)
	c.ledger.APIKeys = c.callbackSecrets
	if len(c.callbackSecrets) == 0 {
		p.add("CRONOFY_API_KEY", "is missing; callbacks are signed with it: give the application's client_secret")
	}
	c.adminToken = secret(s.AdminToken, s.AdminTokenFile, "INVITEMAILER_ADMIN_TOKEN", p)
	checkListen("INVITEMAILER_LISTEN", c.listen, p)
	checkListen("INVITEMAILER_ADMIN", c.admin, p)
	if c.adminToken == "" && !loopback.Host(c.admin) {
		p.add("INVITEMAILER_ADMIN_TOKEN", "is missing, and INVITEMAILER_ADMIN is %s, which is not this machine alone: "+
			"set a token, or listen on 127.0.0.1", c.admin)
	}
}

func checkListen(setting, text string, p *problems) {
	if _, port, err := net.SplitHostPort(text); err != nil {
		p.add(setting, "%q is no address; use one such as 127.0.0.1:8080", text)
	} else if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		p.add(setting, "%q has no port from 0 to 65535", text)
	}
}

// number reads a whole number; an empty one is zero, which the library takes for its default.
func number(setting, text string, least int, p *problems) int {
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		p.add(setting, "%q is not a whole number of at least %d", text, least)
		return 0
	}
	return n
}

// rate reads a limit of requests; -1 is none.
func rate(setting, text string, p *problems) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 && n != -1 {
		p.add(setting, "%q is not a whole number of at least 1, or -1 for no limit", text)
		return 0
	}
	return n
}

// list reads values between commas or spaces. One that is set and has none is a mistake: a variable
// of another program that came out empty.
func list(setting, text string, p *problems) []string {
	values := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\n", r) })
	if text != "" && len(values) == 0 {
		p.add(setting, "is set and has no entry; put one into it, or unset it")
	}
	return values
}

// unread stands for a secret that is not needed or could not be read: it is not missing.
const unread = "unread"

// secret returns the value of a setting that may stand in a file.
func secret(value, file, name string, p *problems) string {
	if file == "" {
		return value
	}
	if value != "" {
		p.add(name, "is set, and %s_FILE too; keep one of them", name)
		return value
	}
	text, err := os.ReadFile(file)
	if err != nil {
		// Not err itself: the secret may stand where the name should.
		p.add(name+"_FILE", "names no file that can be read: %v", errors.Unwrap(err))
		return unread
	}
	value = strings.TrimRight(string(text), "\r\n")
	if value == "" {
		p.add(name+"_FILE", "names an empty file; put the secret into it")
		return unread
	}
	return value
}
