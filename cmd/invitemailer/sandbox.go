package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/loopback"
	"github.com/invitemailer/invitemailer/internal/pages"
	"github.com/invitemailer/invitemailer/mailer/sandbox"
)

// sandboxCmd runs a simulator of the API and a mail server for other programs.
type sandboxCmd struct {
	APIAddr  string `name:"api-addr" default:"127.0.0.1:8090" placeholder:"ADDR" help:"Where the API is simulated (default 127.0.0.1:8090)."`
	SMTPAddr string `name:"smtp-addr" default:"127.0.0.1:2525" placeholder:"ADDR" help:"Where mail is taken (default 127.0.0.1:2525)."`
	PageAddr string `name:"page-addr" default:"127.0.0.1:8091" placeholder:"ADDR" help:"Where the page is that shows invites and mails, with buttons to answer (default 127.0.0.1:8091). Loopback only."`
	Dir      string `default:"sandbox-out" placeholder:"DIR" help:"Where each mail is kept as an .eml file, and the ledger of invitemailer (default sandbox-out)."`

	Latency         time.Duration `placeholder:"TIME" help:"How long the API takes to answer, such as 300ms."`
	LimitPerSecond  int           `name:"rate-per-second" placeholder:"N" help:"More requests in a second get 429; the real API allows 50."`
	LimitPerMinute  int           `name:"rate-per-minute" placeholder:"N" help:"More requests in a minute get 429; the real API allows 500."`
	FailEvery       failEvery     `placeholder:"N:STATUS" help:"Every Nth request fails so: a status such as 10:503, or empty, html, truncated, broken or drop."`
	CallbackRetries int           `default:"5" placeholder:"N" help:"How often a callback is repeated that was not taken (default 5)."`
}

// Validate implements kong's hook.
func (c *sandboxCmd) Validate() error {
	switch {
	case !loopback.Host(c.PageAddr):
		return usageError("--page-addr is not on this machine alone, and whoever sees that page can answer invites; use one such as 127.0.0.1:8091")
	case c.Latency < 0 || c.LimitPerSecond < 0 || c.LimitPerMinute < 0 || c.CallbackRetries < 0:
		return usageError("--latency, --rate-per-second, --rate-per-minute and --callback-retries are not below 0")
	}
	return nil
}

func (c *sandboxCmd) run(ctx context.Context, inv *invocation) exitCode {
	s, err := load(inv.flags)
	if err != nil {
		return inv.fail(exitConfig, err.Error())
	}
	var p problems
	var cfg configuration
	cfg.log(s, &p)
	if len(p.texts) > 0 {
		return inv.misconfigured(s, p.texts)
	}
	log := cfg.logger(inv.screen)
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return inv.misconfigured(s, []string{"--dir: " + err.Error()})
	}
	page, err := listen(ctx, "--page-addr", c.PageAddr)
	if err != nil {
		return inv.misconfigured(s, []string{err.Error()})
	}
	retries := c.CallbackRetries
	if retries == 0 {
		retries = -1 // in the words of the simulator
	}
	sb, err := sandbox.Start(ctx, sandbox.Options{APIAddr: c.APIAddr, SMTPAddr: c.SMTPAddr, Dir: dir, Logger: log, API: cronofytest.Options{
		Latency: c.Latency, RatePerSecond: c.LimitPerSecond, RatePerMinute: c.LimitPerMinute, Fault: c.FailEvery.fault(),
		DefaultOrganizer: cronofytest.Organizer(sandboxOrganizer), CallbackRetries: retries,
	}})
	if err != nil {
		_ = page.Close()
		return inv.misconfigured(s, []string{err.Error()})
	}
	defer func() {
		if err := sb.Close(); err != nil {
			log.Warn("the sandbox could not be closed", "error", err)
		}
	}()
	if _, err := fmt.Fprint(inv.Stdout, environment(sb, s, dir, time.Now())); err != nil {
		_ = page.Close()
		return inv.unwritten(err)
	}
	log.Info("the page is ready", "url", "http://"+page.Addr().String()+"/")
	err = inv.finishing(func() error {
		return inv.serve(ctx, log, server{name: "page", listener: page, handler: pages.Guard("", pages.Sandbox(sb, log))})
	})
	if err != nil {
		return inv.fail(exitTempfail, err.Error())
	}
	return exitOK
}

// environment is what a program needs to use the sandbox, in the form that shells
// and files of an environment both take: NAME=value, one a line. The simulator
// begins without any invite, and so does the ledger: it is a new one each time.
func environment(sb *sandbox.Sandbox, s settings, dir string, now time.Time) string {
	callback := s.CallbackURL
	if callback == "" {
		callback = "http://" + s.Listen + callbackPath
	}
	host, port, _ := net.SplitHostPort(sb.SMTPAddr()) // it is the address of a listener
	lines := []string{
		"CRONOFY_API_KEY=" + sandbox.DefaultAPIKey,
		"CRONOFY_API_URL=" + sb.APIURL(),
		"SMTP_HOST=" + host,
		"SMTP_PORT=" + port,
		"SMTP_TLS=none",
		"ORGANIZER_EMAIL=" + sandboxOrganizer.Email,
		"INVITEMAILER_CALLBACK_URL=" + callback,
		"INVITEMAILER_LEDGER=sqlite:" + filepath.Join(dir, "ledger-"+now.UTC().Format("20060102T150405.000Z")+".sqlite"),
	}
	for i, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		lines[i] = name + "=" + quoted(value)
	}
	return strings.Join(lines, "\n") + "\n"
}

// quoted writes a value so that a shell takes it for one word. What needs no
// quotes has none, since other readers take them for a part of it.
func quoted(value string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+,", r)
	}
	if !strings.ContainsFunc(value, func(r rune) bool { return !plain(r) }) {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// failEvery is a fault that comes again and again, as N:STATUS on the command line.
type failEvery struct {
	n int
	f *cronofytest.Fault
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (e *failEvery) UnmarshalText(text []byte) error {
	count, what, _ := strings.Cut(string(text), ":")
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no fault; use one such as 10:503: every tenth request gets 503", text)
	}
	e.n = n
	switch what {
	case "empty":
		e.f = cronofytest.FaultEmpty()
	case "html":
		e.f = cronofytest.FaultHTML()
	case "truncated":
		e.f = cronofytest.FaultTruncated()
	case "broken":
		e.f = cronofytest.FaultBrokenJSON()
	case "drop":
		e.f = cronofytest.FaultDrop()
	default:
		status, err := strconv.Atoi(what)
		if err != nil || status < 400 || status > 599 {
			return errors.New("a request fails with a status from 400 to 599, or empty, html, truncated, broken or drop; use one such as 10:503")
		}
		e.f = cronofytest.FaultStatus(status, 0)
	}
	return nil
}

// fault is nil without one.
func (e *failEvery) fault() func(*cronofytest.Request) *cronofytest.Fault {
	if e.f == nil {
		return nil
	}
	return func(r *cronofytest.Request) *cronofytest.Fault {
		if r.N%e.n == 0 {
			return e.f
		}
		return nil
	}
}
