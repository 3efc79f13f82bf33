package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer"
)

// TestEveryOutcomeHasItsExitCode runs the command against an API and an SMTP
// server that fail on request, through every row of the table of outcomes: what
// its line says, what it exits with, and what a second run makes of it.
func TestEveryOutcomeHasItsExitCode(t *testing.T) {
	t.Parallel()
	const invite = `{"smart_invite_id":"talk","recipient":{"email":"ann@example.org"},"event":{"summary":"Talk",` +
		`"start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z"},"organizer":{"email":"hr@acme.example"}}`
	const past = `{"smart_invite_id":"talk","recipient":{"email":"ann@example.org"},"event":{"summary":"Talk",` +
		`"start":"2007-04-29T09:30:00Z","end":"2007-04-29T10:00:00Z"},"organizer":{"email":"hr@acme.example"}}`
	const wrong = `{"smart_invite_id":"talk","recipient":{"email":"ann"},"event":{"summary":"Talk",` +
		`"start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z"},"organizer":{"email":"hr@acme.example"}}`
	at := func(p smtptest.Point, f smtptest.Fault) smtptest.Script {
		return func(e smtptest.Event) smtptest.Fault {
			if e.Point == p && e.Conn == 1 {
				return f
			}
			return smtptest.Fault{}
		}
	}
	for name, tc := range map[string]struct {
		record  string
		flags   []string
		api     *cronofytest.Fault // of the first request
		smtp    smtptest.Script
		outcome mailer.Outcome
		exit    int
		again   mailer.Outcome // of a second run
		code    int            // of a second run
		known   bool           // an earlier run told it, says the second
		later   mailer.Outcome // of a third run, an hour later
	}{
		"sent": {record: invite, outcome: mailer.Sent, exit: 0, again: mailer.Unchanged},
		"valid": {record: invite, flags: []string{"--dry-run"}, outcome: mailer.Valid, exit: 0,
			again: mailer.Valid},
		"invalid": {record: wrong, outcome: mailer.Invalid, exit: 65, again: mailer.Invalid,
			code: 65},
		"expired": {record: past, outcome: mailer.Expired, exit: 1, again: mailer.Expired,
			known: true},
		"failed by 422": {record: invite, api: cronofytest.FaultStatus(422, 0), outcome: mailer.Failed,
			exit: 1, again: mailer.Failed, known: true},
		"failed by 550 to RCPT": {record: invite, smtp: at(smtptest.AtRcpt, smtptest.Say("550 5.1.1 no such user")),
			outcome: mailer.Failed, exit: 1, again: mailer.Failed, known: true},
		"failed by the content": {record: invite, smtp: at(smtptest.AtDot, smtptest.Fault{Reply: "554 5.6.0 no",
			Lost: true}), outcome: mailer.Failed, exit: 1, again: mailer.Failed, known: true},
		"failed, no calendar": {record: invite, api: cronofytest.FaultBrokenCalendar("missing"),
			outcome: mailer.Failed, exit: 1, again: mailer.Sent},
		"deferred by 503": {record: invite, api: cronofytest.FaultStatus(503, 0), outcome: mailer.Deferred,
			exit: 75, again: mailer.Sent},
		"deferred by HTML": {record: invite, api: cronofytest.FaultHTML(), outcome: mailer.Deferred, exit: 75,
			again: mailer.Sent},
		"deferred by 451": {record: invite, smtp: at(smtptest.AtRcpt, smtptest.Say("451 later")),
			outcome: mailer.Deferred, exit: 75, again: mailer.Sent},
		"unknown, repeated": {record: invite, smtp: at(smtptest.AtDot, smtptest.HangUp()),
			outcome: mailer.Unknown, exit: 75, again: mailer.Unknown, code: 75, later: mailer.Sent},
		"unknown, repeated at once": {record: invite, flags: []string{"--on-unknown=resend"},
			smtp: at(smtptest.AtDot, smtptest.HangUp()), outcome: mailer.Unknown, exit: 75, again: mailer.Sent},
		"unknown, mailed again": {record: invite, flags: []string{"--resend"},
			smtp: at(smtptest.AtDot, smtptest.HangUp()), outcome: mailer.Unknown, exit: 75, again: mailer.Sent},
		"unknown, never repeated": {record: invite, flags: []string{"--on-unknown=never"},
			smtp: at(smtptest.AtDot, smtptest.HangUp()), outcome: mailer.Unknown, exit: 1, again: mailer.Unknown,
			known: true, later: mailer.Unknown},
		"unknown, by a former name": {record: invite, flags: []string{"--on-unknown=hold"},
			smtp: at(smtptest.AtDot, smtptest.HangUp()), outcome: mailer.Unknown, exit: 1, again: mailer.Unknown,
			known: true, later: mailer.Unknown},
		"a refused key": {record: invite, api: cronofytest.FaultStatus(401, 0), outcome: mailer.Deferred,
			exit: 78, again: mailer.Sent},
		"failed for the run, bare": {record: invite, smtp: at(smtptest.AtRcpt, smtptest.Say("550 no")),
			outcome: mailer.Failed, exit: 1, again: mailer.Sent},
		"failed, by a policy": {record: invite,
			smtp:    at(smtptest.AtRcpt, smtptest.Say("554 5.7.1 Recipient address rejected: Access denied")),
			outcome: mailer.Failed, exit: 1, again: mailer.Sent},
		"blocked at the greeting": {record: invite, smtp: at(smtptest.AtGreeting, smtptest.Say("554 5.7.1 no")),
			outcome: mailer.Deferred, exit: 78, again: mailer.Sent},
		"blocked at RCPT": {record: invite,
			smtp: at(smtptest.AtRcpt,
				smtptest.Say("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example")),
			outcome: mailer.Deferred, exit: 78, again: mailer.Sent},
		"no login": {record: invite, smtp: at(smtptest.AtMail,
			smtptest.Say("530 5.7.0 Authentication required")), outcome: mailer.Deferred, exit: 78, again: mailer.Sent},
		"sender refused, bare": {record: invite, smtp: at(smtptest.AtMail, smtptest.Say("550 not you")),
			outcome: mailer.Deferred, exit: 78, again: mailer.Sent},
		"sender refused at MAIL": {record: invite,
			smtp: at(smtptest.AtMail,
				smtptest.Say("553 5.7.1 <hr@acme.example>: Sender address rejected: not owned by user")),
			outcome: mailer.Deferred, exit: 78, again: mailer.Sent},
		"sender refused at RCPT": {record: invite,
			smtp: at(smtptest.AtRcpt,
				smtptest.Say("553 5.7.1 <hr@acme.example>: Sender address rejected: not owned by user")),
			outcome: mailer.Deferred, exit: 78, again: mailer.Sent},
		"relaying denied": {record: invite,
			smtp:    at(smtptest.AtRcpt, smtptest.Say("554 5.7.1 <ann@example.org>: Relay access denied")),
			outcome: mailer.Deferred, exit: 78, again: mailer.Sent},
		"daily quota": {record: invite,
			smtp: at(smtptest.AtDot, smtptest.Say(
				"550 5.4.5 Daily user sending limit exceeded. Try again tomorrow.")),
			outcome: mailer.Deferred, exit: 75, again: mailer.Sent},
		"submission quota": {record: invite,
			smtp: at(smtptest.AtDot,
				smtptest.Say("554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; the sender's submission quota was exceeded")), outcome: mailer.Deferred, exit: 75, again: mailer.Sent},
		"send-as denied": {record: invite,
			smtp: at(smtptest.AtDot,
				smtptest.Say("554 5.2.252 SendAsDenied; invites@example.com not allowed to send as hr@acme.example")),
			outcome: mailer.Deferred, exit: 78, again: mailer.Sent},
		"not verified": {record: invite,
			smtp: at(smtptest.AtDot,
				smtptest.Say("554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: hr@acme.example")), outcome: mailer.Deferred, exit: 78, again: mailer.Sent},
		"a plan without it, 402": {record: invite, api: cronofytest.FaultStatus(402, 0), outcome: mailer.Deferred,
			exit: 78, again: mailer.Sent},
		"no permission, 403": {record: invite, api: cronofytest.FaultStatus(403, 0), outcome: mailer.Deferred,
			exit: 78, again: mailer.Sent},
		"the API hangs up": {record: invite, api: cronofytest.FaultDrop(), outcome: mailer.Deferred, exit: 75,
			again: mailer.Sent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var fixed atomic.Bool // the API, after the first run
			api := cronofytest.New(cronofytest.Options{Fault: func(*cronofytest.Request) *cronofytest.Fault {
				if fixed.Load() {
					return nil
				}
				return tc.api
			}})
			server := httptest.NewServer(api)
			defer server.Close()
			smtp := &smtptest.Server{Script: tc.smtp}
			require.NoError(t, smtp.Start())
			defer func() { require.NoError(t, smtp.Close()) }()
			dir := t.TempDir()
			file := filepath.Join(dir, "talk.json")
			require.NoError(t, os.WriteFile(file, []byte(tc.record), 0o600))
			run := func() (mailer.Outcome, bool, int) {
				c := exec.CommandContext(context.WithoutCancel(t.Context()), "invitemailer",
					append([]string{"send", "--all", "--retry-for=0s", file}, tc.flags...)...)
				c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "CRONOFY_API_KEY=key",
					"CRONOFY_API_URL=" + server.URL,
					"SMTP_HOST=127.0.0.1", "SMTP_PORT=" +
						strconv.Itoa(smtp.Port()), "SMTP_TLS=none", "INVITEMAILER_LEDGER=sqlite:" +
						filepath.Join(dir, "ledger.sqlite")}
				var stdout, stderr bytes.Buffer
				c.Stdout, c.Stderr = &stdout, &stderr
				err := c.Run()
				var exit *exec.ExitError
				if err != nil && !errors.As(err, &exit) {
					require.NoError(t, err)
				}
				var line struct {
					Outcome mailer.Outcome
					Known   bool
				}
				require.NoErrorf(t, json.Unmarshal(stdout.Bytes(), &line), "one line of JSON: %s\n%s", &stdout, &stderr)
				assert.Equal(t, slices.Contains(tc.flags, "--on-unknown=hold"),
					strings.Contains(stderr.String(), "write never"), "%s", &stderr)
				if line.Known {
					assert.NotContains(t, stderr.String(), "level=WARN msg=talk", "what was told is not told again")
					assert.Regexp(t, `msg=done known=1 ledger=`, stderr.String())
				}
				return line.Outcome, line.Known, c.ProcessState.ExitCode()
			}
			outcome, known, exit := run()
			assert.Equal(t, tc.outcome, outcome)
			assert.False(t, known)
			assert.Equal(t, tc.exit, exit)
			fixed.Store(true)
			outcome, known, exit = run()
			assert.Equal(t, tc.again, outcome, "the next run")
			assert.Equal(t, tc.known, known, "the next run")
			assert.Equal(t, tc.code, exit, "the next run")
			if tc.later != "" {
				anHour(t, filepath.Join(dir, "ledger.sqlite"))
				outcome, known, exit = run()
				assert.Equal(t, tc.later, outcome, "an hour later")
				assert.Equal(t, tc.known, known, "an hour later")
				assert.Zero(t, exit, "an hour later")
			}
		})
	}
}
