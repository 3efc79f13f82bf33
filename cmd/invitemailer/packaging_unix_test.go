//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// settingsFile reads the packaged settings as sh and systemd do where everything is in
// single quotes, and requires that everything is.
func settingsFile(t *testing.T) map[string]string {
	t.Helper()
	values := make(map[string]string)
	for line := range strings.Lines(packaged(t, "invitemailer.env")) {
		if line == "\n" || strings.HasPrefix(line, "#") {
			continue
		}
		m := regexp.MustCompile(`^([A-Z_]+)='([^']*)'\n$`).FindStringSubmatch(line)
		require.NotNil(t, m, line)
		assert.Contains(t, variables(), m[1])
		values[m[1]] = m[2]
	}
	return values
}

// packagedServices are an API and a mail server that take the packaged settings'
// secrets and nothing else.
func packagedServices(t *testing.T) *services {
	t.Helper()
	values := settingsFile(t)
	return newServices(t, cronofytest.Options{APIKey: values["CRONOFY_API_KEY"]},
		submissiontest.Options{Username: values["SMTP_USERNAME"], Password: values["SMTP_PASSWORD"], LoginInClear: true})
}

// endpoints are the lines that point a file of settings at the services.
func (s *services) endpoints() []string {
	return slices.DeleteFunc(slices.Clone(s.environment), func(line string) bool { return strings.HasPrefix(line, "CRONOFY_API_KEY=") })
}

// cronJob is what cron runs, in the order of the packaged crontab.
func cronJob(t *testing.T, number int) string {
	t.Helper()
	jobs := regexp.MustCompile(`(?m)^(?:\S+ ){5} (.*)$`).FindAllStringSubmatch(packaged(t, "crontab"), -1)
	require.Len(t, jobs, 2)
	return jobs[number][1]
}

// TestCron runs the jobs of the packaged crontab as cron does: by /bin/sh, with
// nothing in the environment but HOME, SHELL and a short PATH. What cron would mail
// is what they write.
func TestCron(t *testing.T) {
	t.Parallel()
	s := packagedServices(t)
	home := t.TempDir()
	command, err := exec.LookPath("invitemailer")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(home, "go", "bin"), 0o700))
	require.NoError(t, os.Symlink(command, filepath.Join(home, "go", "bin", "invitemailer")))
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(home, name), []byte(text), 0o600))
	}
	read := func(name string) string {
		file := filepath.Join(home, name)
		info, err := os.Stat(file)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "%s has addresses in it", name)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		return string(text)
	}
	run := func(number int) (mailed string, code int) {
		c := exec.CommandContext(context.WithoutCancel(t.Context()), "/bin/sh", "-c", cronJob(t, number))
		c.Dir, c.Env = home, []string{"HOME=" + home, "SHELL=/bin/sh", "LOGNAME=jane", "PATH=/usr/bin:/bin"}
		out, err := c.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			require.NoError(t, err)
		}
		return string(out), c.ProcessState.ExitCode()
	}

	mailed, code := run(0)
	assert.NotZero(t, code, "there are no settings")
	assert.Contains(t, mailed, "invitemailer.env")

	write("invitemailer.env", packaged(t, "invitemailer.env")+strings.Join(s.endpoints(), "\n")+"\n")
	mailed, code = run(0)
	assert.Equal(t, int(exitNoInput), code, "there is no export: %s", mailed)
	assert.Contains(t, mailed, "there is no such file")
	require.NoError(t, os.Remove(filepath.Join(home, "invitemailer.jsonl")))

	write("invites.jsonl", strings.ReplaceAll(invitation, `,"organizer":{"name":"Jane Doe","email":"jane@example.com"}`, ""))
	mailed, code = run(0)
	require.Zero(t, code, mailed)
	assert.Regexp(t, `^time=\S+ level=INFO msg=done sent=1 ledger=\S+\n$`, mailed, "one line")
	sent := read("invitemailer.jsonl")
	assert.Regexp(t, `^{"file":".*","outcome":"sent",.*}\n$`, sent)
	require.Len(t, s.inbox.Messages(), 1)
	assert.Contains(t, string(s.inbox.Messages()[0].Data), "\r\nFrom: \"Acme HR\" <invites@acme.example>\r\n")

	mailed, code = run(0)
	assert.Zero(t, code)
	assert.Empty(t, mailed, "nothing to do")
	assert.Equal(t, sent, read("invitemailer.jsonl"))

	require.NoError(t, s.api.Answer(t.Context(), cronofytest.Answer{InviteID: "board-meeting", Recipient: "ada@example.com", Status: "accepted"}))
	mailed, code = run(1)
	assert.Zero(t, code, mailed)
	assert.Regexp(t, `^time=\S+ level=INFO msg="asked the API" asked=1 changed=1 .*\n$`, mailed)
	answers := read("answers.jsonl")
	assert.Regexp(t, `^{"smart_invite_id":"board-meeting",.*"before":"pending","status":"accepted",.*}\n$`, answers)
	mailed, code = run(1)
	assert.Zero(t, code)
	assert.Empty(t, mailed, "nothing new")
	assert.Equal(t, answers, read("answers.jsonl"))
}

// unit is a unit file of systemd: its directives in their order.
type unit map[string][]string

func readUnit(t *testing.T, name string) unit {
	t.Helper()
	u := make(unit)
	for line := range strings.Lines(packaged(t, name)) {
		if key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok && !strings.HasPrefix(line, "#") {
			u[key] = append(u[key], value)
		}
	}
	return u
}

// TestUnit runs what the packaged unit runs, with the environment that systemd
// would make of it: credentials are files of a directory of their own, %d; the
// state is in another, %S; the file of settings goes before Environment=. That
// systemd reads the file so is for packaging/check to see.
func TestUnit(t *testing.T) {
	t.Parallel()
	s := packagedServices(t)
	u := readUnit(t, "invitemailer.service")
	credentials, state, export := t.TempDir(), t.TempDir(), t.TempDir()
	values := settingsFile(t)
	secrets := map[string]string{"cronofy-api-key": values["CRONOFY_API_KEY"], "smtp-password": values["SMTP_PASSWORD"]}
	delete(values, "CRONOFY_API_KEY")
	delete(values, "SMTP_PASSWORD")

	require.Len(t, u["LoadCredential"], len(secrets))
	for _, c := range u["LoadCredential"] {
		name, path, _ := strings.Cut(c, ":")
		assert.Equal(t, "/etc/invitemailer/"+name, path)
		require.NoError(t, os.WriteFile(filepath.Join(credentials, name), []byte(secrets[name]+"\n"), 0o400))
	}
	require.NoError(t, os.Mkdir(filepath.Join(state, u["StateDirectory"][0]), 0o700))
	var env []string
	for _, e := range u["Environment"] {
		env = append(env, strings.Fields(strings.NewReplacer("%d", credentials, "%S", state).Replace(e))...)
	}
	for name, value := range values {
		env = append(env, name+"="+value)
	}
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		assert.Contains(t, variables(), name)
	}
	env = append(env, s.endpoints()...)
	command := strings.Fields(strings.ReplaceAll(u["ExecStart"][0], "/srv/export", export))
	assert.Equal(t, "/usr/local/bin/invitemailer", command[0])
	fails := func(code int) bool { // by systemd's account
		return code != 0 && !slices.Contains(u["SuccessExitStatus"], strconv.Itoa(code))
	}
	run := func() (string, int) {
		c := exec.CommandContext(context.WithoutCancel(t.Context()), "invitemailer", command[1:]...)
		c.Dir, c.Env = "/", env
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		var exit *exec.ExitError
		if err := c.Run(); !errors.As(err, &exit) {
			require.NoError(t, err)
		}
		return out.String(), c.ProcessState.ExitCode()
	}

	file := filepath.Join(export, "invites.jsonl")
	out, code := run()
	assert.Equal(t, int(exitNoInput), code, "there is no export: %s", out)
	assert.True(t, fails(code))
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	out, code = run()
	assert.True(t, fails(code), "an empty export: %d: %s", code, out)
	require.NoError(t, os.WriteFile(file, []byte("id,mail\n"), 0o600))
	out, code = run()
	assert.True(t, fails(code), "an export of another form: %d: %s", code, out)

	require.NoError(t, os.WriteFile(file, []byte(invitation), 0o600))
	out, code = run()
	require.Zero(t, code, out)
	assert.Contains(t, out, `"outcome":"sent"`)
	assert.FileExists(t, filepath.Join(state, "invitemailer", "ledger.sqlite"))
	assert.Len(t, s.inbox.Messages(), 1)
	out, code = run()
	assert.Zero(t, code)
	assert.Empty(t, out, "the journal has nothing of a run with nothing to do")
	assert.False(t, fails(int(exitTempfail)), "the timer runs it again")
	for _, code := range []exitCode{exitUsage, exitNoInput, exitConfig, exitFailed, exitData} {
		assert.True(t, fails(int(code)), "%d needs somebody to look", code)
	}
}
