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
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// TestEveryOutcomeHasItsExitCode runs the command against an API and an SMTP
// server that fail on request, through every row of the table of outcomes: what
// its line says, what it exits with, and what a second run makes of it.
func TestEveryOutcomeHasItsExitCode(t *testing.T) {
	t.Parallel()
	const invite = `{"smart_invite_id":"talk","recipient":{"email":"ann@example.org"},"event":{"summary":"Talk","start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z"},"organizer":{"email":"hr@acme.example"}}`
	const past = `{"smart_invite_id":"talk","recipient":{"email":"ann@example.org"},"event":{"summary":"Talk","start":"2007-04-29T09:30:00Z","end":"2007-04-29T10:00:00Z"},"organizer":{"email":"hr@acme.example"}}`
	const wrong = `{"smart_invite_id":"talk","recipient":{"email":"ann"},"event":{"summary":"Talk","start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z"},"organizer":{"email":"hr@acme.example"}}`
	at := func(p submissiontest.Point, f submissiontest.Fault) submissiontest.Script {
		return func(e submissiontest.Event) submissiontest.Fault {
			if e.Point == p && e.Conn == 1 {
				return f
			}
			return submissiontest.Fault{}
		}
	}
	for name, tc := range map[string]struct {
		record  string
		flags   []string
		api     *cronofytest.Fault // of the first request
		smtp    submissiontest.Script
		outcome mailer.Outcome
		exit    int
		again   mailer.Outcome // of a second run
	}{
		"sent":                     {record: invite, outcome: mailer.Sent, exit: 0, again: mailer.Unchanged},
		"valid":                    {record: invite, flags: []string{"--dry-run"}, outcome: mailer.Valid, exit: 0, again: mailer.Valid},
		"invalid":                  {record: wrong, outcome: mailer.Invalid, exit: 65, again: mailer.Invalid},
		"expired":                  {record: past, outcome: mailer.Expired, exit: 1, again: mailer.Expired},
		"failed by 422":            {record: invite, api: cronofytest.FaultStatus(422, 0), outcome: mailer.Failed, exit: 1, again: mailer.Failed},
		"failed by 550 to RCPT":    {record: invite, smtp: at(submissiontest.AtRcpt, submissiontest.Say("550 5.1.1 no such user")), outcome: mailer.Failed, exit: 1, again: mailer.Failed},
		"failed by the content":    {record: invite, smtp: at(submissiontest.AtDot, submissiontest.Fault{Reply: "554 5.6.0 no", Lost: true}), outcome: mailer.Failed, exit: 1, again: mailer.Failed},
		"failed for the run, MAIL": {record: invite, smtp: at(submissiontest.AtMail, submissiontest.Say("550 not you")), outcome: mailer.Failed, exit: 1, again: mailer.Sent},
		"failed, no calendar":      {record: invite, api: cronofytest.FaultBrokenCalendar(cronofytest.CalendarMissing), outcome: mailer.Failed, exit: 1, again: mailer.Sent},
		"deferred by 503":          {record: invite, api: cronofytest.FaultStatus(503, 0), outcome: mailer.Deferred, exit: 75, again: mailer.Sent},
		"deferred by HTML":         {record: invite, api: cronofytest.FaultHTML(), outcome: mailer.Deferred, exit: 75, again: mailer.Sent},
		"deferred by 451":          {record: invite, smtp: at(submissiontest.AtRcpt, submissiontest.Say("451 later")), outcome: mailer.Deferred, exit: 75, again: mailer.Sent},
		"unknown, repeated":        {record: invite, smtp: at(submissiontest.AtDot, submissiontest.HangUp()), outcome: mailer.Unknown, exit: 75, again: mailer.Sent},
		"unknown, held":            {record: invite, flags: []string{"--on-unknown=hold"}, smtp: at(submissiontest.AtDot, submissiontest.HangUp()), outcome: mailer.Unknown, exit: 1, again: mailer.Unknown},
		"a refused key":            {record: invite, api: cronofytest.FaultStatus(401, 0), outcome: mailer.Deferred, exit: 78, again: mailer.Sent},
		"a plan without it, 402":   {record: invite, api: cronofytest.FaultStatus(402, 0), outcome: mailer.Deferred, exit: 78, again: mailer.Sent},
		"no permission, 403":       {record: invite, api: cronofytest.FaultStatus(403, 0), outcome: mailer.Deferred, exit: 78, again: mailer.Sent},
		"the API hangs up":         {record: invite, api: cronofytest.FaultDrop(), outcome: mailer.Deferred, exit: 75, again: mailer.Sent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mended atomic.Bool // the API, after the first run
			api := cronofytest.New(cronofytest.Options{Fault: func(*cronofytest.Request) *cronofytest.Fault {
				if mended.Load() {
					return nil
				}
				return tc.api
			}})
			server := httptest.NewServer(api)
			defer server.Close()
			smtp := &submissiontest.FaultServer{Script: tc.smtp}
			require.NoError(t, smtp.Start())
			defer func() { require.NoError(t, smtp.Close()) }()
			dir := t.TempDir()
			file := filepath.Join(dir, "talk.json")
			require.NoError(t, os.WriteFile(file, []byte(tc.record), 0o600))
			run := func() (mailer.Outcome, int) {
				c := exec.CommandContext(context.WithoutCancel(t.Context()), "invitemailer", append([]string{"send", "--retry-for=0s", file}, tc.flags...)...)
				c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "CRONOFY_API_KEY=key", "CRONOFY_API_URL=" + server.URL,
					"SMTP_HOST=127.0.0.1", "SMTP_PORT=" + strconv.Itoa(smtp.Port()), "SMTP_TLS=none", "INVITEMAILER_LEDGER=sqlite:" + filepath.Join(dir, "ledger.sqlite")}
				var stdout, stderr bytes.Buffer
				c.Stdout, c.Stderr = &stdout, &stderr
				err := c.Run()
				var exit *exec.ExitError
				if err != nil && !errors.As(err, &exit) {
					require.NoError(t, err)
				}
				var line struct{ Outcome mailer.Outcome }
				require.NoErrorf(t, json.Unmarshal(stdout.Bytes(), &line), "one line of JSON: %s\n%s", &stdout, &stderr)
				return line.Outcome, c.ProcessState.ExitCode()
			}
			outcome, exit := run()
			assert.Equal(t, tc.outcome, outcome)
			assert.Equal(t, tc.exit, exit)
			mended.Store(true)
			outcome, _ = run()
			assert.Equal(t, tc.again, outcome, "the next run")
		})
	}
}
