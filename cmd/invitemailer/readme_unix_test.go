//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// notRun are the commands of the README that no test runs as they stand, by their
// first lines.
var notRun = map[string]string{
	"MailHog &":     "MailHog is a program of others; the tests of package mailer send to its engine",
	"go test ./...": "it is what runs this",
}

// TestReadmeCommands runs the README's commands as they are written, in their
// order and in one directory, as a reader would who follows it. What stands before
// them on PATH is a command that knows where the API and the mail server are; the
// tools of others, which need not be here, are stood in for.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	s := newServices(t, cronofytest.Options{}, submissiontest.Options{})
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
	}
	for _, name := range []string{"cmd", "testdata"} {
		at, err := filepath.Abs(filepath.Join(repository, name))
		require.NoError(t, err)
		require.NoError(t, os.Symlink(at, filepath.Join(dir, name)))
	}
	record := readmeRecord(t)
	var line bytes.Buffer
	require.NoError(t, json.Compact(&line, record))
	write("interviews.jsonl", line.String()+"\n", 0o600)
	write("one.json", string(record), 0o600)
	write("calendar.ics", s.calendar(t), 0o600)
	command, err := exec.LookPath("invitemailer")
	require.NoError(t, err)
	write("bin/invitemailer", `#!/bin/sh
[ -n "$CRONOFY_API_URL" ] || export `+strings.Join(s.environment, " ")+` SMTP_USERNAME= SMTP_PASSWORD=
case "$1" in
sandbox) exec `+command+` "$@" --api-addr=127.0.0.1:0 --smtp-addr=127.0.0.1:0 --page-addr=127.0.0.1:0 ;;
serve) # until it listens
	INVITEMAILER_LISTEN=127.0.0.1:0 INVITEMAILER_ADMIN=127.0.0.1:0 `+command+` "$@" 2>serve.log &
	until grep -q 'msg=listening server=admin' serve.log; do kill -0 $! && sleep 0.1 || exit; done
	kill $!
	wait $!
	;;
*) exec `+command+` "$@" ;;
esac
`, 0o700)
	write("bin/jq", "#!/bin/sh\nexec cat\n", 0o700)
	write("bin/go", `#!/bin/sh
action=$1 package=$2
[ -f "$package/main.go" ] || exit 1
shift 2
[ "$action" = install ] || exec invitemailer "$@"
`, 0o700)

	ran := 0
	for _, b := range readme(t) {
		if b.language != "sh" {
			continue
		}
		first := b.firstLine()
		if beginsLikeOneOf(first, notRun) {
			continue
		}
		ran++
		for _, name := range regexp.MustCompile(`[A-Z]+_[A-Z_]+=`).FindAllString(b.text, -1) {
			assert.Contains(t, variables(), strings.TrimSuffix(name, "="), "%s: %s", b.heading, first)
		}
		out, err := shell(t, dir, []string{"PATH=" + filepath.Join(dir, "bin") + ":/usr/bin:/bin", "HOME=" + dir},
			"set -e\n"+b.text)
		require.NoError(t, err, "%s\n%s\n%s", b.heading, b.text, out)
	}
	assert.Equal(t, 9, ran)
	assert.NotEmpty(t, s.inbox.Messages())
	for _, f := range []string{"sandbox-out/preview.html", "my-words/TEMPLATES.md", "answers.jsonl", "sandbox.env"} {
		assert.FileExists(t, filepath.Join(dir, f))
	}
}

func beginsLikeOneOf(text string, known map[string]string) bool {
	for k := range known {
		if strings.HasPrefix(text, k) {
			return true
		}
	}
	return false
}

// shell runs a script by /bin/sh with nothing else in its environment, ends what
// it left in the background, and returns what it said.
func shell(t *testing.T, dir string, env []string, script string) (string, error) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out")) // not a pipe: who is in the background would hold it open
	require.NoError(t, err)
	defer func() { require.NoError(t, out.Close()) }()
	c := exec.CommandContext(context.WithoutCancel(t.Context()), "/bin/sh", "-c", script)
	c.Dir, c.Env, c.Stdout, c.Stderr = dir, env, out, out
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, c.Start())
	failed := c.Wait()
	_ = syscall.Kill(-c.Process.Pid, syscall.SIGTERM) // none may be left
	said, err := os.ReadFile(out.Name())
	require.NoError(t, err)
	return string(said), failed
}

// services are the API and the mail server, and the settings that name them.
type services struct {
	api         *cronofytest.Server
	inbox       *submissiontest.Inbox
	url         string
	environment []string
}

func newServices(t *testing.T, api cronofytest.Options, smtp submissiontest.Options) *services {
	t.Helper()
	s := &services{api: cronofytest.New(api), inbox: submissiontest.NewInbox(smtp)}
	server := httptest.NewServer(s.api)
	t.Cleanup(server.Close)
	require.NoError(t, s.inbox.Start())
	t.Cleanup(func() { require.NoError(t, s.inbox.Close()) })
	s.url = server.URL
	key := api.APIKey
	if key == "" {
		key = "key"
	}
	s.environment = []string{"CRONOFY_API_KEY=" + key, "CRONOFY_API_URL=" + server.URL, "SMTP_HOST=127.0.0.1",
		"SMTP_PORT=" + strconv.Itoa(s.inbox.Port()), "SMTP_TLS=none"}
	return s
}

// calendar is an invitation of the README's recipient, as a user has it in a
// file.
func (s *services) calendar(t *testing.T) string {
	t.Helper()
	client, err := cronofy.New(cronofy.Config{APIKey: "key", BaseURL: s.url})
	require.NoError(t, err)
	defer client.Close()
	start := time.Date(2087, 5, 3, 8, 0, 0, 0, time.UTC)
	invite, err := client.Create(t.Context(), &cronofy.InviteRequest{SmartInviteID: "elsewhere",
		Recipient: &cronofy.Recipient{Email: "ann@example.org"},
		Organizer: &cronofy.Organizer{Name: "Acme HR", Email: "invites@acme.example"},
		Event: &cronofy.Event{Summary: "Interview", TZID: "Europe/Berlin",
			Start: cronofy.EventTime{Time: start}, End: cronofy.EventTime{Time: start.Add(time.Hour)}}})
	require.NoError(t, err)
	return invite.Attachments.ICalendar
}
