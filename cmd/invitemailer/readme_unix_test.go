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

// notRun are the commands of the manual that no test runs as they stand, by their
// first lines.
var notRun = map[string]string{
	"MailHog &":     "MailHog is a program of others; the tests of package mailer send to its engine",
	"go test ./...": "it is what runs this",
}

// TestManualCommands runs the commands of each file of the manual as they are
// written, in their order and in one directory, as a reader would who follows it,
// and compares what they say with what the manual shows. What stands before them on
// PATH is a command that knows where the API and the mail server are; the tools of
// others, which need not be here, are stood in for.
func TestManualCommands(t *testing.T) {
	t.Parallel()
	var kept []string
	for _, b := range manual(t) {
		if _, ok := notRun[b.firstLine()]; ok || strings.HasPrefix(b.firstLine(), "MailHog &") {
			kept = append(kept, b.firstLine())
		}
	}
	assert.Len(t, kept, len(notRun))
	for _, file := range manualFiles(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			m := newManualDir(t)
			m.before(file)
			for _, b := range blocks(t, file) {
				switch {
				case beginsLikeOneOf(b.firstLine(), notRun):
				case b.language == "sh":
					m.run(b)
				case b.language == "console":
					m.compare(b)
				}
			}
			for _, left := range leftBy[file] {
				assert.FileExists(t, filepath.Join(m.dir, left))
			}
		})
	}
}

// leftBy are files that the commands of a file of the manual leave.
var leftBy = map[string][]string{
	"README.md":         {"sandbox-out/preview.html"},
	"docs/command.md":   {"sandbox-out/preview.html", "sandbox.env"},
	"docs/answers.md":   {"answers.jsonl"},
	"docs/templates.md": {"my-templates/TEMPLATES.md"},
	"docs/upgrading.md": {"try/ledger.sqlite"},
}

// manualDir is the directory of a reader of the manual.
type manualDir struct {
	t        *testing.T
	dir      string
	services *services
}

func newManualDir(t *testing.T) *manualDir {
	t.Helper()
	s := newServices(t, cronofytest.Options{}, submissiontest.Options{})
	m := &manualDir{t: t, dir: t.TempDir(), services: s}
	for _, name := range []string{"cmd", "testdata"} {
		at, err := filepath.Abs(filepath.Join(repository, name))
		require.NoError(t, err)
		require.NoError(t, os.Symlink(at, filepath.Join(m.dir, name)))
	}
	record := manualRecord(t)
	var line bytes.Buffer
	require.NoError(t, json.Compact(&line, record))
	good := line.String() + "\n"
	m.write("interviews.jsonl", strings.ReplaceAll(good, "4711", "4710"), 0o600)
	m.write("broken.jsonl", good+strings.ReplaceAll(good, "4711", "4712")+
		strings.ReplaceAll(strings.ReplaceAll(good, "4711", "4713"), "T11:00:00", "T10:00:00"), 0o600)
	m.write("interview.json", string(record), 0o600)
	m.write("one.json", string(record), 0o600)
	m.write("calendar.ics", m.services.calendar(t), 0o600)
	command, err := exec.LookPath("invitemailer")
	require.NoError(t, err)
	m.write("bin/invitemailer", `#!/bin/sh
[ -n "$CRONOFY_API_URL" ] || export `+strings.Join(m.services.environment, " ")+` SMTP_USERNAME= SMTP_PASSWORD=
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
	m.write("bin/jq", "#!/bin/sh\nexec cat\n", 0o700)
	m.write("bin/go", `#!/bin/sh
action=$1 package=$2
[ -f "$package/main.go" ] || exit 1
shift 2
[ "$action" = install ] || exec invitemailer "$@"
`, 0o700)
	return m
}

func (m *manualDir) write(name, text string, mode os.FileMode) {
	m.t.Helper()
	path := filepath.Join(m.dir, name)
	require.NoError(m.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(m.t, os.WriteFile(path, []byte(text), mode))
}

// before brings about what a reader of the file has done already.
func (m *manualDir) before(file string) {
	m.t.Helper()
	switch file {
	case "docs/upgrading.md":
		m.run(block{file: file, text: "invitemailer send interviews.jsonl"})
		// As the upgrade of a ledger of that version leaves it.
		restore(m.t, filepath.Join(repository, "testdata", "upgrade", "ledger-2.sql"),
			filepath.Join(m.dir, ".local", "state", "invitemailer", "ledger.sqlite.v2.bak"))
	case "docs/answers.md":
		m.run(block{file: file, text: "invitemailer send interview.json"})
		berlin, err := time.LoadLocation("Europe/Berlin")
		require.NoError(m.t, err)
		at := time.Date(2087, 5, 3, 14, 0, 0, 0, berlin)
		require.NoError(m.t, m.services.api.Answer(m.t.Context(), cronofytest.Answer{
			InviteID: "interview-4711", Recipient: "ann@example.org", Status: "tentative", Comment: "later?",
			Proposal: &cronofytest.Proposal{Start: at, End: at.Add(time.Hour), TZID: "Europe/Berlin"},
		}))
		m.run(block{file: file, text: "invitemailer status --refresh --changes"})
	}
}

func (m *manualDir) shell(script string) (string, error) {
	m.t.Helper()
	path := filepath.Join(m.dir, "bin") + ":/usr/bin:/bin"
	return shell(m.t, m.dir, []string{"PATH=" + path, "HOME=" + m.dir}, script)
}

// run runs commands of which none may fail.
func (m *manualDir) run(b block) {
	m.t.Helper()
	for _, name := range regexp.MustCompile(`[A-Z]+_[A-Z_]+=`).FindAllString(b.text, -1) {
		assert.Contains(m.t, variables(), strings.TrimSuffix(name, "="), b.where())
	}
	out, err := m.shell("set -e\n" + b.text)
	require.NoError(m.t, err, "%s\n%s\n%s", b.where(), b.text, out)
}

// compare runs the commands of a block, whose lines begin with $, and compares what
// they say with the lines that follow. An ellipsis stands for what differs from run to
// run: on a line of its own for any lines, else for a part of one.
func (m *manualDir) compare(b block) {
	m.t.Helper()
	for part := range strings.SplitSeq("\n"+b.text, "\n$ ") {
		command, shown, _ := strings.Cut(part, "\n")
		if command == "" {
			continue
		}
		pattern := "\n" + regexp.QuoteMeta(strings.TrimSuffix(shown, "\n"))
		pattern = strings.ReplaceAll(pattern, "\n…", "(\n.*)*")
		pattern = "^" + strings.ReplaceAll(pattern, "…", ".*") + "$"
		out, _ := m.shell(command)
		out = strings.ReplaceAll(strings.TrimSuffix(out, "\n"), "2087-", "2027-")
		assert.Regexp(m.t, pattern, "\n"+out, "%s: %s", b.where(), command)
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

// calendar is an invitation of the manual's recipient, as a reader has it in a
// file.
func (s *services) calendar(t *testing.T) string {
	t.Helper()
	client, err := cronofy.New(cronofy.Config{APIKey: "key", BaseURL: s.url})
	require.NoError(t, err)
	defer client.Close()
	start := time.Date(2087, 5, 3, 8, 0, 0, 0, time.UTC)
	invite, err := client.Create(t.Context(), &cronofy.InviteRequest{
		SmartInviteID: "elsewhere", Recipient: &cronofy.Recipient{Email: "ann@example.org"},
		Organizer: &cronofy.Organizer{Name: "Acme HR", Email: "invites@acme.example"},
		Event: &cronofy.Event{
			Summary: "Interview", TZID: "Europe/Berlin",
			Start: cronofy.EventTime{Time: start}, End: cronofy.EventTime{Time: start.Add(time.Hour)},
		},
	})
	require.NoError(t, err)
	return invite.Attachments.ICalendar
}
