package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// developer is a sandbox and a serve beside it, as a developer starts them, and
// the environment that the sandbox printed.
type developer struct {
	t              *testing.T
	dir            string
	env            []string
	sandbox, serve *process
	page, admin    string // URLs
	smtp           string
}

func newDeveloper(t *testing.T, flags ...string) *developer {
	t.Helper()
	g := &developer{t: t, dir: t.TempDir()}
	g.sandbox = launch(t, g.dir, nil, append([]string{"sandbox", "--api-addr=127.0.0.1:0",
		"--smtp-addr=127.0.0.1:0", "--page-addr=127.0.0.1:0"}, flags...)...)
	g.sandbox.said(&g.sandbox.stdout, `^INVITEMAILER_LEDGER=`) // the last one
	g.page = g.sandbox.said(&g.sandbox.stderr, `url=(http://\S+)`)
	for _, line := range g.sandbox.stdout {
		if !strings.HasPrefix(line, "INVITEMAILER_CALLBACK_URL=") { // serve chooses a port of its own here
			g.env = append(g.env, line)
		}
	}
	g.smtp = "127.0.0.1:" + g.sandbox.said(&g.sandbox.stdout, `^SMTP_PORT=(\d+)$`)
	g.serve = launch(t, g.dir, g.env, "serve", "--listen=127.0.0.1:0", "--admin=127.0.0.1:0")
	public := g.serve.said(&g.serve.stderr, `server=callback address=(\S+)`)
	g.admin = "http://" + g.serve.said(&g.serve.stderr, `server=admin address=(\S+)`)
	g.env = append(g.env, "INVITEMAILER_CALLBACK_URL=http://"+public+"/cronofy/callback")
	return g
}

// invite sends an invitation and returns the mail that arrived.
func (g *developer) invite(id, recipient string) []byte {
	g.t.Helper()
	file := filepath.Join(g.dir, id+".json")
	require.NoError(g.t, os.WriteFile(file, []byte(`{"smart_invite_id":"`+id+`","recipient":{"email":"`+recipient+`"},
		"event":{"summary":"Interview `+id+`","start":"2087-04-29T09:30:00Z",
		"end":"2087-04-29T10:00:00Z","tzid":"Europe/Berlin"}}`), 0o600))
	out, code := finish(g.t, g.dir, g.env, "send", file)
	require.Zero(g.t, code, out)
	require.Contains(g.t, out, `"outcome":"sent"`)
	files, err := filepath.Glob(filepath.Join(g.dir, "sandbox-out", "*.eml"))
	require.NoError(g.t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(g.t, err)
		if strings.Contains(string(text), "Interview "+id) {
			return text
		}
	}
	require.FailNow(g.t, "no mail arrived")
	return nil
}

// reply answers by mail, as a mail client does.
func (g *developer) reply(invitation []byte, from string, a cronofytest.Answer) {
	g.t.Helper()
	text, err := cronofytest.ReplyMail(invitation, a)
	require.NoError(g.t, err)
	require.NoError(g.t, smtp.SendMail(g.smtp, nil, from, []string{sandboxOrganizer.Email}, text))
}

// status is what the status command says of an invite.
func (g *developer) status(id string) entryLine {
	g.t.Helper()
	out, code := finish(g.t, g.dir, g.env, "status", "--id", id)
	require.Zero(g.t, code)
	var l entryLine
	require.NoError(g.t, json.Unmarshal([]byte(out), &l), out)
	require.NotNil(g.t, l.RSVP, out)
	return l
}

// get asks for a page and returns what came.
func (g *developer) get(url string) string {
	g.t.Helper()
	request, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, url, nil)
	require.NoError(g.t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(g.t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(g.t, err)
	require.Equalf(g.t, http.StatusOK, response.StatusCode, "%s", body)
	return string(body)
}

// A person starts the sandbox and serve, sends invitations, answers them with a
// mail client, and sees the answers.
func TestAnswersComeBack(t *testing.T) {
	t.Parallel()
	g := newDeveloper(t)
	changed := func(id, status string) {
		g.serve.said(&g.serve.stdout, `^\{"smart_invite_id":"`+id+`",.*"before":"pending","status":"`+status+`"`)
	}

	g.reply(g.invite("accepted", "ann@example.org"), "ann@example.org", cronofytest.Answer{Status: "accepted"})
	changed("accepted", "accepted")
	assert.Equal(t, "accepted", g.status("accepted").RSVP.Status)

	g.reply(g.invite("declined", "bob@example.org"), "bob@example.org",
		cronofytest.Answer{Status: "declined", Comment: "On leave, sorry – Ærlig"})
	changed("declined", "declined")
	declined := g.status("declined").RSVP
	assert.Equal(t, "declined", declined.Status)
	assert.Equal(t, "On leave, sorry – Ærlig", declined.Comment)

	proposal := cronofytest.Proposal{Start: time.Date(2087, 4, 30, 12, 0, 0, 0, time.UTC),
		End: time.Date(2087, 4, 30, 12, 30, 0, 0, time.UTC), TZID: "Europe/Berlin"}
	g.reply(g.invite("counter", "eve@example.org"), "eve@example.org",
		cronofytest.Answer{Status: "tentative", Proposal: &proposal})
	changed("counter", "tentative")
	counter := g.status("counter").RSVP
	assert.Equal(t, "tentative", counter.Status)
	require.NotNil(t, counter.Proposal)
	assert.True(t, proposal.Start.Equal(counter.Proposal.Start), counter.Proposal.Start)
	assert.True(t, proposal.End.Equal(counter.Proposal.End), counter.Proposal.End)

	g.reply(g.invite("forwarded", "max@example.org"), "assistant@example.org",
		cronofytest.Answer{Status: "accepted", By: "assistant@example.org"})
	g.serve.said(&g.serve.stdout, `^\{"smart_invite_id":"forwarded",.*"status":"pending",`+
		`.*"replied_by":"assistant@example.org"`)
	forwarded := g.status("forwarded").RSVP
	assert.Equal(t, "pending", forwarded.Status, "of who was invited")
	assert.Equal(t, "assistant@example.org", forwarded.By)
	require.NotNil(t, forwarded.Reply)
	assert.Equal(t, "accepted", forwarded.Reply.Status)

	// The page, the JSON and the metrics say the same.
	page := g.get(g.admin + "/?status=proposed")
	assert.Contains(t, page, "Interview counter")
	assert.Contains(t, page, "Wed 30 Apr 2087, 14:00–14:30 CEST")
	assert.NotContains(t, page, "Interview accepted")
	assert.Contains(t, g.get(g.admin+"/invites?status=accepted"),
		`"recipient":"ann@example.org","summary":"Interview accepted","event_start":"2087-04-29T09:30:00Z"`)
	// A callback is counted when it was answered, which is after its line is printed.
	metrics := ""
	require.Eventually(t, func() bool {
		metrics = g.get(g.admin + "/metrics")
		return strings.Contains(metrics, `invitemailer_callbacks_total{outcome="recorded"} 4`)
	}, waitLimit, 10*time.Millisecond)
	assert.NotContains(t, metrics, "example.org")
	assert.Equal(t, "ok\n", g.get(g.admin+"/healthz"))
	assert.Contains(t, g.get(g.page), "Interview forwarded")
	assert.Contains(t, g.get(g.page+"mails/1"), "Interview accepted")

	assert.Zero(t, g.serve.terminate())
	assert.Zero(t, g.sandbox.terminate())
}

// A person accepts, the event is moved, and is not shown as accepted until
// they do.
func TestMovedEventIsAnsweredAnew(t *testing.T) {
	t.Parallel()
	g := newDeveloper(t)
	reply := func(invitation []byte) {
		g.reply(invitation, "ann@example.org", cronofytest.Answer{Status: "accepted"})
	}
	reply(g.invite("talk", "ann@example.org"))
	g.serve.said(&g.serve.stdout, `"before":"pending","status":"accepted".*"revision":1`)

	file := filepath.Join(g.dir, "talk.json")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "2087-04-29", "2087-05-06")), 0o600))
	out, code := finish(t, g.dir, g.env, "send", file)
	require.Zero(t, code, out)
	g.serve.said(&g.serve.stdout, `"before":"accepted","status":"pending".*"source":"update","revision":2`)
	moved := g.status("talk")
	assert.Equal(t, "pending", moved.RSVP.Status)
	assert.Equal(t, "2087-05-06T10:00:00Z", moved.EventEnd.Format(time.RFC3339))
	assert.Contains(t, g.get(g.admin+"/invites?status=pending"), `"event_start":"2087-05-06T09:30:00Z"`)
	assert.Contains(t, g.get(g.admin+"/invites?status=accepted"), `"invites":[]`)
	page := g.get(g.admin + "/invite?id=talk&recipient=ann@example.org")
	assert.Contains(t, page, "by asking anew")

	mails, err := filepath.Glob(filepath.Join(g.dir, "sandbox-out", "*.eml"))
	require.NoError(t, err)
	require.Len(t, mails, 2)
	update, err := os.ReadFile(mails[1])
	require.NoError(t, err)
	reply(update)
	g.serve.said(&g.serve.stdout, `"before":"pending","status":"accepted".*"revision":2`)
	assert.Equal(t, "accepted", g.status("talk").RSVP.Status)
	assert.Zero(t, g.serve.terminate())
	assert.Zero(t, g.sandbox.terminate())
}

// Who cannot be called back asks: from cron, and several times.
func TestAnswersAreAskedFor(t *testing.T) {
	t.Parallel()
	g := newDeveloper(t, "--rate-per-second=5", "--fail-every=7:503")
	assert.Zero(t, g.serve.terminate(), "nobody is called back from here on")
	g.env = append(g.env, "CRONOFY_RATE_PER_SECOND=5")
	g.reply(g.invite("one", "ann@example.org"), "ann@example.org", cronofytest.Answer{Status: "accepted"})
	g.invite("two", "bob@example.org")

	out, code := finish(t, g.dir, g.env, "status", "--refresh", "--changes")
	assert.Zero(t, code)
	assert.Regexp(t, `^\{"smart_invite_id":"one","recipient":"ann@example.org","before":"pending",`+
		`"status":"accepted","rsvp":\{"status":"accepted","at":"[^"]+","source":"status","revision":1\},`+
		`"replied_by":"ann@example.org","at":"[^"]+"\}$`, out)

	out, code = finish(t, g.dir, g.env, "status", "--refresh", "--changes")
	assert.Zero(t, code)
	assert.Empty(t, out, "nothing is told twice")

	out, code = finish(t, g.dir, g.env, "status", "--refresh", "--min-age=1h", "--id=one")
	assert.Zero(t, code)
	assert.Contains(t, out, `"rsvp":{"status":"accepted",`)

	_, code = finish(t, g.dir, append(g.env, "CRONOFY_API_KEY=another"), "status", "--refresh")
	assert.Equal(t, int(exitConfig), code)
	assert.Zero(t, g.sandbox.terminate())
}
