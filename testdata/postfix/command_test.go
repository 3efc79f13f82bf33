package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// command is the built command.
var command string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "invitemailer-")
	if err != nil {
		panic(err)
	}
	command = filepath.Join(dir, "invitemailer")
	build := exec.CommandContext(context.Background(), "go", "build", "-C", "../..", "-o", command,
		"./cmd/invitemailer")
	build.Env = append(os.Environ(), "GOWORK=off")
	code := 1
	if out, err := build.CombinedOutput(); err == nil {
		code = m.Run()
	} else {
		fmt.Fprintf(os.Stderr, "%v: %s", err, out)
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// operator is somebody who runs the command again and again: with a simulated
// API, a Postfix, a ledger, and settings that are changed between runs.
type operator struct {
	t       *testing.T
	dir     string
	mails   string            // where the mails end that Postfix handed on
	env     map[string]string // the settings
	postfix *server
}

// newOperator starts everything. The settings have the login.
func newOperator(t *testing.T, o options) *operator {
	t.Helper()
	op := &operator{t: t, dir: t.TempDir(), env: make(map[string]string)}
	op.mails = filepath.Join(op.dir, "mails")
	op.sandbox()
	o.next = op.env["SMTP_HOST"] + ":" + op.env["SMTP_PORT"]
	dir, err := openDir()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	op.postfix, err = start(ctx, dir, o)
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, op.postfix.stop())
		if t.Failed() {
			t.Log(op.postfix.log())
		}
	})
	for name, value := range map[string]string{
		"SMTP_HOST": "localhost", "SMTP_PORT": fmt.Sprint(
			op.postfix.port), "SMTP_TLS": "starttls", "SMTP_TLS_CA_FILE": op.postfix.caFile,
		"SMTP_USERNAME": username, "SMTP_PASSWORD": password, "SMTP_CONNECTIONS": "1",
		"ORGANIZER_NAME": "Human Resources", "ORGANIZER_EMAIL": "hr@" + realm,
		"INVITEMAILER_LEDGER": "sqlite:" + filepath.Join(op.dir, "ledger.sqlite"),
	} {
		op.env[name] = value
	}
	return op
}

// sandbox starts the simulated API, and the mail server that takes what Postfix
// hands on.
func (o *operator) sandbox() {
	o.t.Helper()
	c := exec.CommandContext(context.WithoutCancel(o.t.Context()), command,
		"sandbox", "--api-addr=127.0.0.1:0", "--smtp-addr=127.0.0.1:0", "--page-addr=127.0.0.1:0", "--dir="+o.mails)
	c.Env = []string{"HOME=" + o.dir}
	stdout, err := c.StdoutPipe()
	require.NoError(o.t, err)
	require.NoError(o.t, c.Start())
	o.t.Cleanup(func() {
		assert.NoError(o.t, c.Process.Signal(os.Interrupt))
		_ = c.Wait() // its status is that of a program that was told to end
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), "=")
		switch name {
		case "CRONOFY_API_KEY", "CRONOFY_API_URL", "SMTP_HOST", "SMTP_PORT":
			o.env[name] = value
		case "INVITEMAILER_LEDGER": // the last one
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return
		}
	}
	o.t.Fatal("the sandbox said nothing")
}

// arrived waits until n mails came through, and holds that there are no more and
// each went to somebody else.
func (o *operator) arrived(n int) {
	o.t.Helper()
	count := func() int {
		files, err := filepath.Glob(filepath.Join(o.mails, "*.eml"))
		require.NoError(o.t, err)
		return len(files)
	}
	assert.Eventually(o.t, func() bool { return count() >= n }, 20*time.Second, 20*time.Millisecond)
	assert.Equal(o.t, n, count(), "mails that came through")
}

// guests are recipients at as many domains.
func guests(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("guest%d@guests%d.example", i, i))
	}
	return all
}

// write writes the records of invites for the recipients, each with an id of its
// own, and returns the file.
func (o *operator) write(recipients []string) string {
	o.t.Helper()
	var b bytes.Buffer
	for i, to := range recipients {
		fmt.Fprintf(&b, `{"smart_invite_id":"interview-%d","recipient":{"email":%q},"event":{"summary":"Interview","start":"2087-04-29T09:30:00Z",`+
			`"end":"2087-04-29T10:00:00Z","tzid":"Europe/London"}}`+"\n", i, to)
	}
	file := filepath.Join(o.dir, "invites.jsonl")
	require.NoError(o.t, os.WriteFile(file, b.Bytes(), 0o600))
	return file
}

// receipt is one result, as far as these tests look at it.
type receipt struct {
	InviteID string `json:"smart_invite_id"`
	Outcome  string `json:"outcome"`
	Known    bool   `json:"known"`
	Reply    string `json:"smtp_reply"`
	Attempts int    `json:"attempts"`
	Error    *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// ran is how one run of the command ended.
type ran struct {
	code     int
	receipts []receipt
	stderr   string
}

// outcomes counts the receipts by their outcome.
func (r ran) outcomes() map[string]int {
	n := make(map[string]int)
	for _, one := range r.receipts {
		n[one.Outcome]++
	}
	return n
}

// exec runs the command, and returns its standard output.
func (o *operator) exec(args ...string) (ran, []byte) {
	o.t.Helper()
	c := exec.CommandContext(o.t.Context(), command, args...)
	c.Env = []string{"HOME=" + o.dir}
	for name, value := range o.env {
		c.Env = append(c.Env, name+"="+value)
	}
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	var failed *exec.ExitError
	if err := c.Run(); !errors.As(err, &failed) {
		require.NoError(o.t, err)
	}
	code := c.ProcessState.ExitCode()
	o.t.Logf("%v: %d\n%s", args, code, &stderr)
	return ran{code: code, stderr: stderr.String()}, stdout.Bytes()
}

// run runs the command, and reads its results.
func (o *operator) run(args ...string) ran {
	o.t.Helper()
	r, stdout := o.exec(args...)
	for decoder := json.NewDecoder(bytes.NewReader(stdout)); ; {
		var one receipt
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			return r
		}
		require.NoError(o.t, err)
		r.receipts = append(r.receipts, one)
	}
}

// send sends the file, with all results, and without a second try.
func (o *operator) send(file string) ran {
	o.t.Helper()
	return o.run("send", "--retry-for=0s", file)
}

// refused are the ids that the ledger has as refused.
func (o *operator) refused() []string {
	o.t.Helper()
	var ids []string
	for _, one := range o.run("status", "--outcome=failed").receipts {
		ids = append(ids, one.InviteID)
	}
	return ids
}
