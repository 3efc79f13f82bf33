package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/loopback"
	"github.com/invitemailer/invitemailer/internal/pages"
	"github.com/invitemailer/invitemailer/mailer/sandbox"
)

// sandboxCmd runs a simulator of the API and a mail server for other programs.
type sandboxCmd struct {
	APIAddr  string `name:"api-addr" default:"127.0.0.1:8090" placeholder:"ADDR" help:"${api_addr}"`
	SMTPAddr string `name:"smtp-addr" default:"127.0.0.1:2525" placeholder:"ADDR" help:"${smtp_addr}"`
	PageAddr string `name:"page-addr" default:"127.0.0.1:8091" placeholder:"ADDR" help:"${page_addr}"`
	Dir      string `default:"sandbox-out" placeholder:"DIR" help:"${sandbox_dir}"`

	Latency         time.Duration `placeholder:"TIME" help:"How long the API takes to answer, such as 300ms."`
	RatePerSecond   int           `placeholder:"N" help:"More requests in a second get 429; the real API allows 50."`
	RatePerMinute   int           `placeholder:"N" help:"More requests in a minute get 429; the real API allows 500."`
	FailEvery       failEvery     `placeholder:"N:STATUS" help:"${fail_every}"`
	CallbackRetries int           `default:"5" placeholder:"N" help:"${callback_retries}"`
}

// Validate implements kong's hook.
func (c *sandboxCmd) Validate() error {
	switch {
	case !loopback.Host(c.PageAddr):
		return usageError("--page-addr is not on this machine alone, and whoever sees that page can answer invites; use one such as 127.0.0.1:8091")
	case c.Latency < 0 || c.RatePerSecond < 0 || c.RatePerMinute < 0 || c.CallbackRetries < 0:
		return usageError("--latency, --rate-per-second, --rate-per-minute and --callback-retries are not below 0")
	}
	return nil
}

func (c *sandboxCmd) run(ctx context.Context, inv *invocation) exitCode {
	s := inv.setup(scopeLog)
	defer s.close()
	if len(s.texts) > 0 {
		return s.misconfigured()
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return s.misconfigured("--dir: " + err.Error())
	}
	page, err := listen(ctx, "--page-addr", c.PageAddr)
	if err != nil {
		return s.misconfigured(err.Error())
	}
	defer func() { _ = page.Close() }() // the server has closed it, unless it never began
	sb, err := sandbox.Start(ctx, sandbox.Options{
		APIAddr: c.APIAddr, SMTPAddr: c.SMTPAddr, Dir: dir, Logger: s.log, API: c.api(),
	})
	if err != nil {
		return s.misconfigured(err.Error())
	}
	defer func() {
		if err := sb.Close(); err != nil {
			s.log.Warn("the sandbox could not be closed", "error", err)
		}
	}()
	if code := inv.print(environment(sb, s.cfg, dir, time.Now())); code != exitOK {
		return code
	}
	s.log.Info("the page is ready", "url", "http://"+page.Addr().String()+"/")
	err = inv.finishing(func() error {
		handler := pages.Guard("", pages.Sandbox(sb, s.log))
		return inv.serve(ctx, s.log, server{name: "page", listener: page, handler: handler})
	})
	if err != nil {
		return inv.fail(exitTempfail, err.Error())
	}
	return exitOK
}

// api is how the simulator of the API behaves.
func (c *sandboxCmd) api() cronofytest.Options {
	retries := c.CallbackRetries
	if retries == 0 {
		retries = -1 // none, for the simulator
	}
	return cronofytest.Options{
		Latency: c.Latency, RatePerSecond: c.RatePerSecond, RatePerMinute: c.RatePerMinute, Fault: c.FailEvery.of,
		DefaultOrganizer: cronofytest.Organizer(sandboxOrganizer), CallbackRetries: retries,
	}
}

// environment is what a program needs to use the sandbox, for shells and environment files:
// NAME=value, one a line. The ledger is new each time, as the simulator is.
func environment(sb *sandbox.Sandbox, c *configuration, dir string, now time.Time) string {
	callback := cmp.Or(c.mail.CallbackURL, "http://"+c.listen+callbackPath)
	ledger := filepath.Join(dir, "ledger-"+now.UTC().Format("20060102T150405.000Z")+".sqlite")
	host, port, _ := net.SplitHostPort(sb.SMTPAddr()) // it is the address of a listener
	var text strings.Builder
	for _, variable := range []struct{ name, value string }{
		{"CRONOFY_API_KEY", sandbox.DefaultAPIKey}, {"CRONOFY_API_URL", sb.APIURL()},
		{"SMTP_HOST", host}, {"SMTP_PORT", port}, {"SMTP_TLS", "none"},
		{"ORGANIZER_EMAIL", sandboxOrganizer.Email},
		{"INVITEMAILER_CALLBACK_URL", callback}, {"INVITEMAILER_LEDGER", "sqlite:" + ledger},
	} {
		fmt.Fprintf(&text, "%s=%s\n", variable.name, quoted(variable.value))
	}
	return text.String()
}

var plainInShells = regexp.MustCompile(`^[-_./:@%+,A-Za-z0-9]*$`)

// quoted writes a value as one word of a shell; without quotes if it can, since others keep them.
func quoted(value string) string {
	if plainInShells.MatchString(value) {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
