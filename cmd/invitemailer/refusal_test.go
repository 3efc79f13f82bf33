package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/smtptest"
)

// until is a script until the server is set right.
func until(good *atomic.Bool, s smtptest.Script) smtptest.Script {
	return func(e smtptest.Event) smtptest.Fault {
		if good.Load() {
			return smtptest.Fault{}
		}
		return s(e)
	}
}

// refusingServer starts a mail server and an API, and returns their settings.
func refusingServer(t *testing.T, server *smtptest.Server, dir string) []string {
	t.Helper()
	api := httptest.NewServer(cronofytest.New(cronofytest.Options{}))
	t.Cleanup(api.Close)
	require.NoError(t, server.Start())
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	return []string{"CRONOFY_API_KEY=key", "CRONOFY_API_URL=" + api.URL, "SMTP_HOST=127.0.0.1", "SMTP_PORT=" + strconv.Itoa(server.Port()),
		"SMTP_TLS=none", "SMTP_HELO_NAME=client.example.com", "INVITEMAILER_LEDGER=sqlite:" + filepath.Join(dir, "ledger.sqlite")}
}

// What is ours costs a few tries and no invite: the run stops and says what to
// set, and once that is set the same file sends everything.
func TestARefusedServiceCostsNoInvite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		point  smtptest.Point
		reply  string
		offers bool
		exit   int
		tries  int // transactions, the question about the sender included
		says   string
	}{
		"forgotten login":           {smtptest.AtRcpt, "554 5.7.1 Access denied", true, 78, 1, "set SMTP_USERNAME and SMTP_PASSWORD"},
		"forgotten login, unspoken": {smtptest.AtRcpt, "554 5.7.1 Access denied", false, 78, 4, "check SMTP_USERNAME and SMTP_PASSWORD, MAIL_FROM and SMTP_ENVELOPE_FROM"},
		"relaying denied":           {smtptest.AtRcpt, "554 5.7.1 Relay access denied", false, 78, 3, "set SMTP_USERNAME and SMTP_PASSWORD"},
		"sender refused":            {smtptest.AtMail, "553 5.7.1 Sender address rejected: not owned by user", false, 78, 3, "MAIL_FROM and SMTP_ENVELOPE_FROM"},
		"blocked":                   {smtptest.AtRcpt, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example", false, 78, 3, "ask its operator"},
		"daily quota":               {smtptest.AtDot, "550 5.4.5 Daily user sending limit exceeded. Try again tomorrow.", false, 75, 3, "run again when its limit is renewed"},
		"not verified":              {smtptest.AtDot, "554 Message rejected: Email address is not verified.", false, 78, 3, "have the server allow it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var good atomic.Bool
			server := &smtptest.Server{Script: until(&good, smtptest.Always(c.point, smtptest.Say(c.reply)))}
			if c.offers {
				server.Mechanisms = []string{"PLAIN"}
			}
			dir := t.TempDir()
			env := refusingServer(t, server, dir)
			var records strings.Builder
			for i := range 30 {
				fmt.Fprintf(&records, `{"smart_invite_id":"talk-%d","recipient":{"email":"p%d@d%d.example"},"event":{"summary":"Talk","start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z"},"organizer":{"email":"hr@acme.example"}}`+"\n", i, i, i)
			}
			file := filepath.Join(dir, "talks.jsonl")
			require.NoError(t, os.WriteFile(file, []byte(records.String()), 0o600))

			p := launch(t, dir, env, "send", "--retry-for=0s", "--concurrency=1", file)
			p.read.Wait()
			_ = p.cmd.Wait()
			assert.Equal(t, c.exit, p.cmd.ProcessState.ExitCode())
			said := strings.Join(p.stderr, "\n")
			assert.Contains(t, said, c.says)
			assert.NotContains(t, said, "Username")
			assert.Empty(t, server.Accepted())
			// While one is refused, the next may be on its way.
			assert.InDelta(t, c.tries, len(server.Transactions()), 1)
			assert.Len(t, p.stdout, 30, "a result for each")

			good.Store(true)
			out, exit := finish(t, dir, env, "send", "--retry-for=0s", file)
			assert.Equal(t, 0, exit, "the same file again")
			assert.Equal(t, 30, strings.Count(out, `"outcome":"sent"`))
		})
	}
}

// Whoever runs the command has flags and variables, and no fields of a configuration.
func TestAdviceNamesTheSettings(t *testing.T) {
	t.Parallel()
	const record = `{"smart_invite_id":"talk","recipient":{"email":"p@d.example"},"event":{"summary":"Talk","start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z"},"organizer":{"email":"hr@acme.example"}}`
	for name, c := range map[string]struct {
		env  []string // besides those that work
		args []string
		exit int
		says string
	}{
		"an unknown end":    {args: []string{"send", "--on-unknown=never"}, exit: 1, says: "--on-unknown is never, so it is not repeated; ask the recipient, then repeat it with --on-unknown=resend or with --resend, if need be"},
		"no such host":      {env: []string{"CRONOFY_API_URL=https://api.nowhere.invalid"}, args: []string{"send"}, exit: 78, says: "the host of the API does not exist: check CRONOFY_API_URL"},
		"no such host, too": {env: []string{"CRONOFY_API_URL=https://api.nowhere.invalid"}, args: []string{"check"}, exit: 78, says: "the host of the API does not exist: check CRONOFY_API_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			server := &smtptest.Server{Script: smtptest.Always(smtptest.AtDot, smtptest.HangUp())}
			env := append(refusingServer(t, server, dir), c.env...)
			file := filepath.Join(dir, "talk.jsonl")
			require.NoError(t, os.WriteFile(file, []byte(record), 0o600))
			if c.args[0] == "send" {
				c.args = append(c.args, "--retry-for=0s", file)
			}
			p := launch(t, dir, env, c.args...)
			p.read.Wait()
			_ = p.cmd.Wait()
			assert.Equal(t, c.exit, p.cmd.ProcessState.ExitCode())
			said := strings.Join(p.stdout, "\n")
			assert.Contains(t, said, c.says)
			assert.NotRegexp(t, `OnUnknown|BaseURL`, said+strings.Join(p.stderr, "\n"))
		})
	}
}

// check asks the server about the real sender and shows what it says.
func TestCheckTriesTheSender(t *testing.T) {
	t.Parallel()
	rcpt := func(reply string) smtptest.Script {
		return smtptest.Always(smtptest.AtRcpt, smtptest.Say(reply))
	}
	for name, c := range map[string]struct {
		script smtptest.Script
		offers bool
		env    []string
		exit   int
		says   []string
	}{
		"taken": {exit: 0, env: []string{"ORGANIZER_EMAIL=hr@acme.example"},
			says: []string{`ok       smtp login    none asked for`, `ok       smtp sender   mail from hr@acme.example to hr@acme.example would be taken: the server said "250 2.1.5 Ok"`}},
		"a login is offered": {offers: true, env: []string{"MAIL_FROM=HR <hr@acme.example>", "SMTP_ENVELOPE_FROM=bounces@acme.example"},
			says: []string{`warning  smtp login    none, although the server offers one (PLAIN): set SMTP_USERNAME and SMTP_PASSWORD`, `mail from bounces@acme.example to hr@acme.example would be taken`}},
		"relaying denied": {script: rcpt("554 5.7.1 <hr@acme.example>: Relay access denied"), offers: true, env: []string{"MAIL_FROM=hr@acme.example"}, exit: 78,
			says: []string{`FAIL     smtp sender`, `554 5.7.1`, `Relay access denied`, `set SMTP_USERNAME and SMTP_PASSWORD`}},
		"sender refused": {script: smtptest.Always(smtptest.AtMail, smtptest.Say("553 5.7.1 Sender address rejected")), env: []string{"MAIL_FROM=hr@acme.example"}, exit: 78,
			says: []string{`FAIL     smtp sender`, `smtp mail: `, `MAIL_FROM and SMTP_ENVELOPE_FROM`}},
		"greylisted": {script: rcpt("450 4.2.0 Greylisted"), env: []string{"MAIL_FROM=hr@acme.example"}, exit: 75,
			says: []string{`FAIL     smtp sender`, `450 4.2.0 Greylisted`}},
		"no such mailbox": {script: rcpt("550 5.1.1 User unknown"), env: []string{"MAIL_FROM=noreply@acme.example"}, exit: 0,
			says: []string{`warning  smtp sender`, `replies and bounces may be lost`, `550 5.1.1 User unknown`}},
		"nobody is known": {exit: 0, says: []string{`ok       smtp sender   not tried`}},
		"blocked at the greeting": {script: smtptest.Always(smtptest.AtGreeting, smtptest.Say("554 5.7.1 Blocked")), exit: 78,
			says: []string{`FAIL     smtp connect`, `554 5.7.1 Blocked`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &smtptest.Server{Script: c.script}
			if c.offers {
				server.Mechanisms = []string{"PLAIN"}
			}
			dir := t.TempDir()
			out, exit := finish(t, dir, append(refusingServer(t, server, dir), c.env...), "check")
			assert.Equal(t, c.exit, exit, out)
			for _, s := range c.says {
				assert.Contains(t, out, s)
			}
			assert.Empty(t, server.Accepted())
		})
	}
}
