//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/smtptest"
)

// stuck is an API and a mail server, and the environment of a command that
// uses them, in a directory of its own.
type stuck struct {
	dir  string
	api  *cronofytest.Server
	smtp *smtptest.Server
	env  []string
}

func newStuck(t *testing.T, script smtptest.Script) *stuck {
	t.Helper()
	s := &stuck{dir: t.TempDir(), api: cronofytest.New(cronofytest.Options{}), smtp: &smtptest.Server{Script: script}}
	server := httptest.NewServer(s.api)
	t.Cleanup(server.Close)
	require.NoError(t, s.smtp.Start())
	t.Cleanup(func() { require.NoError(t, s.smtp.Close()) })
	s.env = []string{"CRONOFY_API_KEY=key", "CRONOFY_API_URL=" + server.URL, "SMTP_HOST=127.0.0.1", "SMTP_PORT=" + strconv.Itoa(s.smtp.Port()),
		"SMTP_TLS=none", "ORGANIZER_EMAIL=hr@acme.example", "INVITEMAILER_LEDGER=sqlite:" + filepath.Join(s.dir, "ledger.sqlite")}
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "talk.jsonl"), []byte(invitation), 0o600))
	return s
}

// fifo makes a named pipe.
func (s *stuck) fifo(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(s.dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	return path
}

// fullPipe is a pipe that takes nothing more until it is read.
func fullPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	fill(t, w)
	return w
}

// fill writes to a pipe until it takes nothing more.
func fill(t *testing.T, w *os.File) {
	t.Helper()
	require.NoError(t, w.SetWriteDeadline(time.Now().Add(100*time.Millisecond)))
	var err error
	for err == nil {
		_, err = w.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

// waiting is a process that does not end by itself.
type waiting struct {
	t     *testing.T
	cmd   *exec.Cmd
	ended chan struct{}
}

func await(t *testing.T, s *stuck, cmd *exec.Cmd) *waiting {
	t.Helper()
	cmd.Dir = s.dir
	cmd.Env = append(append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir}, s.env...), cmd.Env...)
	require.NoError(t, cmd.Start())
	w := &waiting{t: t, cmd: cmd, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // the code says it
		close(w.ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-w.ended
	})
	return w
}

func (w *waiting) signal() {
	w.t.Helper()
	require.NoError(w.t, w.cmd.Process.Signal(syscall.SIGTERM))
}

// code is the exit code of a process that was told to end.
func (w *waiting) code() int {
	w.t.Helper()
	select {
	case <-w.ended:
	case <-time.After(patience):
		require.FailNow(w.t, "the process does not end", "%v", w.cmd.Args)
	}
	return w.cmd.ProcessState.ExitCode()
}

// program is invitemailer with a standard input that gives nothing.
func program(t *testing.T, args ...string) (*exec.Cmd, io.Writer) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "invitemailer", args...)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	cmd.Stdin = r
	return cmd, w
}

// opened waits until somebody reads a named pipe, and keeps it open.
func opened(t *testing.T, path string) {
	t.Helper()
	require.Eventually(t, func() bool {
		f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return false // nobody reads yet
		}
		t.Cleanup(func() { _ = f.Close() })
		return true
	}, patience, time.Millisecond)
}

// TestFirstSignalEndsWhatWaits: whatever is no mail and no request under way is not
// waited for, however it waits.
func TestFirstSignalEndsWhatWaits(t *testing.T) {
	t.Parallel()
	// more is more than a pipe holds: it is written once somebody reads.
	more := []byte(strings.Repeat("X-Filler: nothing\r\n", 1<<14))
	for name, tc := range map[string]struct {
		smtp smtptest.Script
		args []string
		fifo string // that is to be read
		env  func(s *stuck, fifo string) []string
		// begun waits until the command is where it waits.
		begun func(t *testing.T, s *stuck, stdin io.Writer)
		stuck bool // nobody reads standard output
		mute  bool // nor standard error
	}{
		"lint of standard input": {args: []string{"lint", "-"}, begun: func(t *testing.T, _ *stuck, stdin io.Writer) {
			_, err := stdin.Write(more)
			require.NoError(t, err)
		}},
		"lint of a pipe":           {args: []string{"lint", "mail.eml"}, fifo: "mail.eml"},
		"lint against a pipe":      {args: []string{"lint", "--previous=mail.eml", "talk.jsonl"}, fifo: "mail.eml"},
		"send of a pipe":           {args: []string{"send", "more.jsonl"}, fifo: "more.jsonl"},
		"preview of a pipe":        {args: []string{"preview", "more.jsonl"}, fifo: "more.jsonl"},
		"cancel of a pipe":         {args: []string{"cancel", "more.jsonl"}, fifo: "more.jsonl"},
		"templates from a pipe":    {args: []string{"templates", "check", "mine"}, fifo: "mine/en/invitation.tmpl"},
		"send with such templates": {args: []string{"send", "talk.jsonl"}, fifo: "mine/en/invitation.tmpl", env: func(*stuck, string) []string { return []string{"INVITEMAILER_TEMPLATES=mine"} }},
		"a secret from a pipe": {args: []string{"send", "talk.jsonl"}, fifo: "secret", env: func(_ *stuck, fifo string) []string {
			return []string{"CRONOFY_API_KEY=", "CRONOFY_API_KEY_FILE=" + fifo}
		}},
		"a greeting that never comes": {args: []string{"send", "talk.jsonl"}, smtp: smtptest.Always(smtptest.AtGreeting, smtptest.FallSilent()), begun: connected},
		"a check of that server":      {args: []string{"check"}, smtp: smtptest.Always(smtptest.AtGreeting, smtptest.FallSilent()), begun: connected},
		"results that nobody reads":   {args: []string{"send", "talk.jsonl"}, stuck: true, begun: submitted},
		"nothing is read at all":      {args: []string{"send", "talk.jsonl"}, stuck: true, mute: true, begun: submitted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStuck(t, tc.smtp)
			var fifo string
			if tc.fifo != "" {
				fifo = s.fifo(t, tc.fifo)
			}
			cmd, stdin := program(t, tc.args...)
			if tc.env != nil {
				cmd.Env = tc.env(s, fifo)
			}
			if tc.stuck {
				cmd.Stdout = fullPipe(t)
			}
			var stderr strings.Builder
			cmd.Stderr = &stderr
			if tc.mute {
				cmd.Stderr = fullPipe(t)
			}
			w := await(t, s, cmd)
			if fifo != "" {
				opened(t, fifo)
			}
			if tc.begun != nil {
				tc.begun(t, s, stdin)
			}
			w.signal()
			assert.EqualValues(t, exitTempfail, w.code(), "%s", &stderr)
		})
	}
}

func connected(t *testing.T, s *stuck, _ io.Writer) {
	t.Helper()
	require.Eventually(t, func() bool { return s.smtp.Conns() == 1 }, patience, time.Millisecond)
}

func submitted(t *testing.T, s *stuck, _ io.Writer) {
	t.Helper()
	require.Eventually(t, func() bool { return len(s.smtp.Accepted()) == 1 }, patience, time.Millisecond)
}

// TestSecondSignalEndsTheProcess, although a mail is under way, and nobody reads
// what is said of it.
func TestSecondSignalEndsTheProcess(t *testing.T) {
	t.Parallel()
	s := newStuck(t, smtptest.Always(smtptest.AtDot, smtptest.FallSilent()))
	cmd, _ := program(t, "send", "talk.jsonl")
	cmd.Stdout = fullPipe(t)
	cmd.Stderr = fullPipe(t)
	w := await(t, s, cmd)
	require.Eventually(t, func() bool {
		all := s.smtp.Transactions()
		return len(all) == 1 && all[0].Complete
	}, patience, time.Millisecond)
	w.signal()
	// Two of one kind are one if they come together.
	require.NoError(t, w.cmd.Process.Signal(syscall.SIGINT))
	assert.EqualValues(t, exitTempfail, w.code())
	out, _ := finish(t, s.dir, s.env, "status", "--json")
	assert.Contains(t, out, `"outcome":"unknown"`, "what may have left is on record")
}

// TestServeWhoseOutputNobodyReads: a callback whose change cannot be written is
// refused in time, so that the API repeats it; whoever watches the health sees why;
// and when somebody reads again, all goes on.
func TestServeWhoseOutputNobodyReads(t *testing.T) {
	t.Parallel()
	for name, withLog := range map[string]bool{"output": false, "output and log": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStuck(t, nil)
			_, code := finish(t, s.dir, s.env, "send", "talk.jsonl")
			require.EqualValues(t, exitOK, code)
			path := s.fifo(t, "output")
			open := func(flag int) *os.File {
				f, err := os.OpenFile(path, flag, 0)
				require.NoError(t, err)
				t.Cleanup(func() { _ = f.Close() })
				return f
			}
			reader := open(os.O_RDWR | syscall.O_NONBLOCK)
			cmd, _ := program(t, "serve", "--listen=127.0.0.1:0", "--admin=127.0.0.1:0")
			stdout := open(os.O_WRONLY)
			cmd.Stdout = stdout
			log := io.Reader(reader)
			if withLog {
				cmd.Stderr = stdout
			} else {
				var err error
				log, err = cmd.StderrPipe()
				require.NoError(t, err)
			}
			w := await(t, s, cmd)
			lines := bufio.NewReader(log)
			public, admin := listening(t, lines, "callback"), listening(t, lines, "admin")
			fill(t, open(os.O_WRONLY|syscall.O_NONBLOCK))

			assert.Equal(t, http.StatusServiceUnavailable, post(t, public, "accepted"), "the API is to repeat it")
			assert.Equal(t, http.StatusServiceUnavailable, get(t, admin+"/healthz"))
			said := make(chan string, 1)
			go func() { // somebody reads again
				lines := bufio.NewReader(reader)
				for {
					line, err := lines.ReadString('\n')
					if err != nil || strings.Contains(line, `"status":"accepted"`) {
						said <- line
						_, _ = io.Copy(io.Discard, lines)
						return
					}
				}
			}()
			require.Eventually(t, func() bool { return get(t, admin+"/healthz") == http.StatusOK }, patience, time.Millisecond)
			assert.Equal(t, http.StatusOK, post(t, public, "accepted"))
			assert.Contains(t, <-said, `"status":"accepted"`)
			w.signal()
			assert.EqualValues(t, exitOK, w.code())
			require.NoError(t, reader.Close())
		})
	}
}

// TestServeStopsWhateverIsRead, or not.
func TestServeStopsWhateverIsRead(t *testing.T) {
	t.Parallel()
	s := newStuck(t, nil)
	_, code := finish(t, s.dir, s.env, "send", "talk.jsonl")
	require.EqualValues(t, exitOK, code)
	cmd, _ := program(t, "serve", "--listen=127.0.0.1:0", "--admin=127.0.0.1:0")
	cmd.Stdout = fullPipe(t)
	log, err := cmd.StderrPipe()
	require.NoError(t, err)
	w := await(t, s, cmd)
	public := listening(t, bufio.NewReader(log), "callback")
	answered := make(chan int, 1)
	go func() { answered <- post(t, public, "accepted") }()
	// The answer is on record before anybody is told.
	require.Eventually(t, func() bool {
		out, _ := finish(t, s.dir, s.env, "status", "--json")
		return strings.Contains(out, "accepted")
	}, patience, time.Millisecond)
	w.signal()
	assert.EqualValues(t, exitOK, w.code())
	assert.Equal(t, http.StatusServiceUnavailable, <-answered)
}

// listening waits for the address of a server in the log of serve.
func listening(t *testing.T, log *bufio.Reader, server string) string {
	t.Helper()
	for {
		line, err := log.ReadString('\n')
		require.NoError(t, err, "%s", line)
		if _, address, ok := strings.Cut(line, "server="+server+" address="); ok {
			return "http://" + strings.TrimSpace(address)
		}
	}
}

// post is a callback that the person invited by talk.jsonl has answered.
func post(t *testing.T, url, answer string) int {
	t.Helper()
	var sent struct {
		ID        string `json:"smart_invite_id"`
		Recipient struct{ Email string }
	}
	assert.NoError(t, json.Unmarshal([]byte(invitation), &sent))
	person := cronofy.Participant{Email: sent.Recipient.Email, Status: cronofy.Status(answer)}
	body, err := json.Marshal(cronofy.Callback{Notification: cronofy.Notification{Type: cronofy.CallbackSmartInvite},
		SmartInvite: cronofy.CallbackInvite{SmartInviteID: sent.ID, Recipient: &person, Reply: &person}})
	assert.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+callbackPath, bytes.NewReader(body))
	assert.NoError(t, err)
	r.Header.Set(cronofy.CallbackHeader, cronofy.SignCallback(body, "key"))
	return status(t, r)
}

func get(t *testing.T, url string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	return status(t, r)
}

func status(t *testing.T, r *http.Request) int {
	t.Helper()
	client := &http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if !assert.NoError(t, err) {
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	_, err = io.Copy(io.Discard, answer.Body)
	assert.NoError(t, err)
	return answer.StatusCode
}
