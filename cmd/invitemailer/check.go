package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// checkCmd tries the configuration and sends nothing.
type checkCmd struct{}

// checker prints what was tried and remembers the worst of it.
type checker struct {
	w    io.Writer
	code exitCode
	err  error // of writing
}

func (checkCmd) run(ctx context.Context, inv *invocation) exitCode {
	s, err := load(inv.flags)
	if err != nil {
		return inv.fail(exitConfig, err.Error())
	}
	var p problems
	cfg := configure(s, scopeReal, &p)
	p.missed(os.Environ())
	cfg.ledger.judged = true
	w := &wiring{cfg: &cfg, scope: scopeReal, log: cfg.logger(inv.screen)}
	defer w.close()
	w.connect(&p)
	c := &checker{w: inv.Stdout}
	for _, warning := range misspelt(os.Environ()) {
		c.say("warning", "settings", warning)
	}
	for _, problem := range p.texts {
		c.fix(exitConfig, "settings", problem)
	}
	if len(p.texts) > 0 {
		return c.end(inv)
	}
	c.say("ok", "settings", "complete")
	c.ledger(ctx, w)
	c.key(ctx, w)
	c.smtp(ctx, w)
	return c.end(inv)
}

func (c *checker) ledger(ctx context.Context, w *wiring) {
	switch l, err := w.openLedger(ctx); {
	case err != nil:
		c.fix(ledgerCode(err), "ledger", err.Error())
	case w.cfg.ledger.none:
		c.say("ok", "ledger", "none: nothing is remembered, and the same invite given again is mailed again")
	default:
		c.say("ok", "ledger", w.cfg.ledger.path)
		c.ledgerMode(w.cfg.ledger.path)
		c.say("ok", "application", whose(l.Application(), w.cfg.ledger.application))
	}
}

// ledgerMode tells who else may read the ledger, also where it is a group, which
// a run says nothing of.
func (c *checker) ledgerMode(path string) {
	info, err := os.Stat(path)
	if runtime.GOOS == "windows" || err != nil || info.Mode().Perm()&0o077 == 0 {
		return
	}
	c.say("warning", "ledger", fmt.Sprintf("others on this machine may read it (mode %04o): chmod 600 %s", info.Mode().Perm(), path))
}

func (c *checker) key(ctx context.Context, w *wiring) {
	client, ok := w.cfg.mail.API.(*cronofy.Client)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	err := client.CheckKey(ctx)
	var known *cronofy.Error
	switch {
	case err == nil:
		c.say("ok", "api key", "accepted by "+w.apiURL)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		c.fix(exitTempfail, "api key", fmt.Sprintf("the API at %s gave no answer within %s: check the way there, such as a firewall or proxy, and try again", w.apiURL, answerTimeout))
	case cronofy.StatusOf(err) == http.StatusUnauthorized:
		c.fix(exitConfig, "api key", keyRefused(w.apiURL))
	case errors.As(err, &known):
		c.fix(apiCode(err), "api key", forUsers(err.Error()))
	default:
		c.fix(exitTempfail, "api key", err.Error())
	}
}

func (c *checker) smtp(ctx context.Context, w *wiring) {
	submitter, ok := w.cfg.mail.Submitter.(*submission.Submitter)
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
		c.sender(ctx, w, submitter)
	}
}

// answerTimeout is how long the API, and the server that is asked about the sender,
// have for all they say. Somebody is waiting.
const answerTimeout = 15 * time.Second

// sender asks the server whether it takes mail from the sender that the settings
// name.
func (c *checker) sender(ctx context.Context, w *wiring, submitter *submission.Submitter) {
	const name = "smtp sender"
	from, envelope := senderOf(w.cfg.mail)
	if from == "" {
		c.say("ok", name, "not tried, since each record names its own: set ORGANIZER_EMAIL or MAIL_FROM to have one tried")
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerTimeout, fmt.Errorf("no answer within %s", answerTimeout))
	defer cancel()
	reply, err := submitter.Probe(ctx, submission.Envelope{From: envelope, To: from})
	var refused *submission.Error
	switch {
	case err == nil:
		c.say("ok", name, "mail from "+envelope+" to "+from+" would be taken: the server said "+strconv.Quote(reply))
	case errors.As(err, &refused) && refused.Step == submission.StepRcpt &&
		refused.Cause == submission.CauseMailbox:
		c.say("warning", name, "mail from "+envelope+" is taken, and mail to "+from+" is not, so that replies and bounces may be lost: "+err.Error())
	default:
		temporary := errors.As(err, &refused) && refused.Code < 500 && refused.Step != submission.StepInput
		c.fix(smtpCode(temporary), name, "mail from "+envelope+" to "+from+" is not taken: "+forUsers(err.Error()))
	}
}

// senderOf returns who the settings let mail be from, in the message and on the
// envelope. The first is empty if the records are to say it.
func senderOf(c mailer.Config) (from, envelope string) {
	for _, text := range []string{c.From, c.Organizer.Email} {
		parsed, err := mail.ParseAddress(text)
		if err != nil {
			continue
		}
		if a, err := address.Parse(parsed.Address); err == nil {
			from = a.String()
			break
		}
	}
	if a, err := address.Parse(c.EnvelopeFrom); err == nil {
		return from, a.String()
	}
	return from, from
}

// smtpCode takes what the server may think better of for a thing that passes.
func smtpCode(temporary bool) exitCode {
	if temporary {
		return exitTempfail
	}
	return exitConfig
}

// fix says what has to be fixed. What is wrong for good weighs more than what
// is wrong for now.
func (c *checker) fix(code exitCode, what, text string) {
	if c.code != exitConfig {
		c.code = code
	}
	c.say("FAIL", what, text)
}

func (c *checker) say(verdict, what, text string) {
	if c.err == nil {
		_, c.err = fmt.Fprintf(c.w, "%-7s  %-12s  %s\n", verdict, what, safetext.Line(text))
	}
}

func (c *checker) end(inv *invocation) exitCode {
	if c.err != nil {
		return inv.fail(exitTempfail, "the findings could not be written: "+c.err.Error())
	}
	return c.code
}
