package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// checkCmd tries the configuration and sends nothing.
type checkCmd struct{}

// checker prints what was tried and remembers the worst of it.
type checker struct {
	*setup
	code exitCode
	err  error // of writing
}

func (checkCmd) run(ctx context.Context, inv *invocation) exitCode {
	c := &checker{setup: inv.setup(scopeReal)}
	defer c.close()
	c.checkGuards(os.Environ())
	c.cfg.ledger.DryRun = true
	c.connect(&runFlags{})
	for _, warning := range misspelt(os.Environ()) {
		c.say("warning", "settings", warning)
	}
	for _, problem := range c.texts {
		c.fix(exitConfig, "settings", problem)
	}
	if len(c.texts) == 0 {
		c.say("ok", "settings", "complete")
		c.checkLedger(ctx)
		c.checkKey(ctx)
		c.checkSMTP(ctx)
	}
	if c.err != nil {
		return inv.fail(exitTempfail, "the findings could not be written: "+c.err.Error())
	}
	return c.code
}

func (c *checker) checkLedger(ctx context.Context) {
	const name = "ledger"
	l, err := c.openLedger(ctx)
	if err != nil {
		c.fix(ledgerCode(err), name, forUsers(err.Error()))
		return
	}
	if c.cfg.noLedger {
		c.say("ok", name, "none: nothing is remembered, and the same invite given again is mailed again")
		return
	}
	path := c.cfg.ledger.Path
	c.say("ok", name, path)
	// Also where it is a group that may read it, which a run says nothing of.
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		c.say("warning", name, fmt.Sprintf("others on this machine may read it (mode %04o): chmod 600 %s",
			info.Mode().Perm(), path))
	}
	c.say("ok", "application", describeApplication(l.Application(), c.cfg.ledger.Application))
}

// describeApplication says whose invites a run works on, and what it records of name and key.
func describeApplication(a sqlite.Application, name string) string {
	if name == "" {
		name = a.Name
	}
	text := "without a name"
	if name != "" {
		text = strconv.Quote(name)
	}
	switch {
	case !a.Known:
		return text + ": new, with no invites in this ledger yet"
	case a.Keys == 0:
		return text + ": the first run makes the ledger that of this key"
	case a.KeyKnown:
		return text + ": the ledger knows this key"
	}
	return fmt.Sprintf("%s: this key is new, and the next run adds it to those that the ledger knows (%d)",
		text, a.Keys)
}

// answerTimeout is for the API, and for the question about the sender: the operator is waiting.
const answerTimeout = 15 * time.Second

func (c *checker) checkKey(ctx context.Context) {
	const name = "api key"
	client, ok := c.cfg.mail.API.(*cronofy.Client)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	err := client.CheckKey(ctx)
	var known *cronofy.Error
	switch {
	case err == nil:
		c.say("ok", name, "accepted by "+c.apiURL)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		c.fix(exitTempfail, name, fmt.Sprintf("the API at %s gave no answer within %s: check the way there, "+
			"such as a firewall or proxy, and try again", c.apiURL, answerTimeout))
	case cronofy.StatusOf(err) == http.StatusUnauthorized:
		c.fix(exitConfig, name, keyRefused(c.apiURL))
	case errors.As(err, &known):
		c.fix(apiCode(err), name, forUsers(err.Error()))
	default:
		c.fix(exitTempfail, name, err.Error())
	}
}

func (c *checker) checkSMTP(ctx context.Context) {
	submitter, ok := c.cfg.mail.Submitter.(*submission.Submitter)
	if !ok {
		return
	}
	good := true
	for _, step := range submitter.Check(ctx) {
		name := "smtp " + step.Name
		text := step.Detail
		if step.Advice != "" {
			text += ": " + step.Advice
		}
		text = forUsers(text)
		switch {
		case !step.OK:
			c.fix(smtpCode(step.Temporary), name, text)
			good = false
		case step.Advice != "":
			c.say("warning", name, text)
		default:
			c.say("ok", name, text)
		}
	}
	if good {
		c.checkSender(ctx, submitter)
	}
}

// checkSender asks the server whether it takes mail from the sender that the settings name.
func (c *checker) checkSender(ctx context.Context, submitter *submission.Submitter) {
	const name = "smtp sender"
	from, envelope := senderOf(c.cfg.mail)
	if from == "" {
		c.say("ok", name, "not tried, since each record names its own: "+
			"set ORGANIZER_EMAIL or MAIL_FROM to have one tried")
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerTimeout, fmt.Errorf("no answer within %s", answerTimeout))
	defer cancel()
	reply, err := submitter.Probe(ctx, submission.Envelope{From: envelope, To: from})
	var refused *submission.Error
	switch {
	case err == nil:
		c.say("ok", name, "mail from "+envelope+" to "+from+" would be taken: the server said "+strconv.Quote(reply))
	case errors.As(err, &refused) && refused.Step == submission.StepRcpt && refused.Cause == submission.CauseMailbox:
		c.say("warning", name, "mail from "+envelope+" is taken, and mail to "+from+" is not, "+
			"so that replies and bounces may be lost: "+forUsers(err.Error()))
	default:
		temporary := errors.As(err, &refused) && refused.Code < 500 && refused.Step != submission.StepInput
		c.fix(smtpCode(temporary), name, "mail from "+envelope+" to "+from+" is not taken: "+forUsers(err.Error()))
	}
}

// senderOf returns who mail is from, in the message and on the envelope; empty: the records say it.
func senderOf(c mailer.Config) (from, envelope string) {
	if parsed, err := mail.ParseAddress(cmp.Or(c.From, c.Organizer.Email)); err == nil {
		a, _ := address.Parse(parsed.Address) // the mailer has no complaint about it
		from = a.String()
	}
	if a, err := address.Parse(c.EnvelopeFrom); err == nil {
		return from, a.String()
	}
	return from, from
}

// smtpCode is the exit code for what the server refuses, for now or for good.
func smtpCode(temporary bool) exitCode {
	if temporary {
		return exitTempfail
	}
	return exitConfig
}

// fix says what has to be fixed. What is wrong for good weighs more than what is wrong for now.
func (c *checker) fix(code exitCode, what, text string) {
	if c.code != exitConfig {
		c.code = code
	}
	c.say("FAIL", what, text)
}

func (c *checker) say(verdict, what, text string) {
	if c.err == nil {
		_, c.err = fmt.Fprintf(c.inv.Stdout, "%-7s  %-12s  %s\n", verdict, what, safetext.Line(text))
	}
}
