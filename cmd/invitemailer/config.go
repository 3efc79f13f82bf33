package main

import (
	"log/slog"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// configuration is what the settings mean.
type configuration struct {
	api    cronofy.Config
	smtp   submission.Config
	mail   mailer.Config
	ledger ledgerSetting
	level  slog.Level
	json   bool // of the log

	templates string // a directory laid over the embedded ones
}

// scope is how much of the configuration a run needs.
type scope int

const (
	scopeLedger  scope = iota // nothing else
	scopeSandbox              // neither API nor SMTP nor ledger
	scopeDryRun               // the ledger, and which API it belongs to
	scopeAPI                  // the ledger and the API, with the key
	scopeReal                 // everything
)

// configure reads the settings as far as the scope goes and reports every
// problem that can be found without asking anybody.
func configure(s settings, sc scope, p *problems) configuration {
	var c configuration
	c.log(s, p)
	if sc == scopeLedger {
		c.ledger = parseLedger(s.Ledger, p)
		if c.ledger.application = s.Application; s.Application == "" {
			c.ledger.keys = keyAtHand(s)
		}
		return c
	}
	c.templates = s.Templates
	c.mail = mailer.Config{
		From: s.MailFrom, ReplyTo: s.MailReplyTo, FromDomains: s.MailFromDomains.list("MAIL_FROM_DOMAINS", p), OnlyTo: s.MailOnlyTo.list("MAIL_ONLY_TO", p),
		Organizer: mailer.Organizer{Name: s.OrganizerName, Email: s.OrganizerEmail}, Locale: s.Locale, CallbackURL: s.CallbackURL,
	}
	if _, err := language.Parse(s.Locale); err != nil {
		p.add("INVITEMAILER_LOCALE", "%q is no language tag; use one such as en or pt-BR", s.Locale)
	}
	if sc == scopeSandbox {
		c.ledger = ledgerSetting{memory: true}
		return c
	}
	c.ledger = parseLedger(s.Ledger, p)
	c.ledger.application = s.Application
	c.mail.EnvelopeFrom = s.SMTPEnvelopeFrom
	c.cronofy(s, sc, p)
	if sc == scopeReal {
		c.submission(s, p)
	}
	return c
}

func (c *configuration) log(s settings, p *problems) {
	if err := c.level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		p.add("INVITEMAILER_LOG_LEVEL", "%q is no level; use debug, info, warn or error", s.LogLevel)
	}
	switch s.Log {
	case logText:
	case logJSON:
		c.json = true
	default:
		p.add("INVITEMAILER_LOG", "%q is unknown; use text or json", s.Log)
	}
}

func (c *configuration) cronofy(s settings, sc scope, p *problems) {
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
	if sc >= scopeAPI {
		c.api.APIKey = secret(s.APIKey, s.APIKeyFile, "CRONOFY_API_KEY", p)
		c.ledger.keys = sqlite.Secrets{c.api.APIKey}
	} else {
		c.ledger.keys = keyAtHand(s)
	}
}

// keyAtHand is the API key for who does not need it: if there is one, it says
// whose invites are looked up.
func keyAtHand(s settings) sqlite.Secrets {
	if key := secret(s.APIKey, s.APIKeyFile, "CRONOFY_API_KEY", &problems{}); key != "" && key != unread {
		return sqlite.Secrets{key}
	}
	return nil
}

func (c *configuration) submission(s settings, p *problems) {
	c.smtp = submission.Config{
		Host: s.SMTPHost, TLS: submission.TLSMode(s.SMTPTLS), Auth: submission.AuthMode(s.SMTPAuth), CAFile: s.SMTPCAFile,
		HELOName: s.SMTPHELOName, Username: s.SMTPUsername,
		Password:      secret(s.SMTPPassword, s.SMTPPasswordFile, "SMTP_PASSWORD", p),
		Port:          number("SMTP_PORT", s.SMTPPort, 1, p),
		Connections:   number("SMTP_CONNECTIONS", s.SMTPConnections, 1, p),
		RatePerMinute: number("SMTP_RATE_PER_MINUTE", s.SMTPRatePerMinute, 0, p),
	}
	plaintext, err := strconv.ParseBool(s.SMTPAllowPlaintext)
	if err != nil {
		p.add("SMTP_ALLOW_PLAINTEXT", "%q is neither true nor false", s.SMTPAllowPlaintext)
	}
	c.smtp.AllowPlaintext = plaintext
}

// number reads a whole number; an empty one is zero, which the rooms take for
// their default.
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
	if text == "-1" {
		return -1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		p.add(setting, "%q is not a whole number of at least 1, or -1 for no limit", text)
		return 0
	}
	return n
}

// list reads values between commas or spaces. One that is set and has none is a
// mistake: a variable of another program that came out empty.
func list(setting, text string, p *problems) []string {
	values := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' })
	if text != "" && len(values) == 0 {
		p.add(setting, "is set and has no entry; put one into it, or unset it")
	}
	return values
}
