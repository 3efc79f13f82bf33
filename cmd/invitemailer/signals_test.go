package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// started is a run of the command inside the test.
type started struct {
	stdin   *io.PipeWriter
	signals chan os.Signal
	stderr  bytes.Buffer // to be read after the end
	code    chan int
}

func start(t *testing.T, stdout io.Writer, args ...string) *started {
	t.Helper()
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	s := &started{stdin: w, signals: make(chan os.Signal, 2), code: make(chan int, 1)}
	m := Main{Args: args, Stdin: r, Stdout: stdout, Stderr: &s.stderr, Signals: s.signals}
	go func() { s.code <- m.Run(t.Context()) }()
	return s
}

// TestSignalStopsSoftly: a run that waits for more input ends at the first
// signal, and what was sent stays sent. A result is there to be read as soon as
// it is known, not at the end.
func TestSignalStopsSoftly(t *testing.T) {
	t.Parallel()
	results, stdout := io.Pipe()
	s := start(t, stdout, "send", "--sandbox", "--format", "jsonl", "--out", filepath.Join(t.TempDir(), "out"))
	_, err := io.WriteString(s.stdin, invitation)
	require.NoError(t, err)
	line, err := bufio.NewReader(results).ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, line, `"outcome":"sent"`)
	s.signals <- os.Interrupt
	assert.EqualValues(t, exitTempfail, <-s.code)
	assert.Contains(t, s.stderr.String(), "the run was stopped before its end")
	assert.Contains(t, s.stderr.String(), "sent=1")
}

// TestSecondSignalStopsAtOnce: what is in hand is not waited for.
func TestSecondSignalStopsAtOnce(t *testing.T) {
	asked := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server does not see that the client leaves
		close(asked)
		<-r.Context().Done()
	}))
	defer api.Close()
	for name, value := range map[string]string{
		"CRONOFY_API_KEY": "key", "CRONOFY_API_URL": api.URL, "SMTP_HOST": "localhost",
		"SMTP_TLS": "none", "INVITEMAILER_LEDGER": "none",
	} {
		t.Setenv(name, value)
	}
	var stdout bytes.Buffer
	s := start(t, &stdout, "send", "--format", "jsonl")
	_, err := io.WriteString(s.stdin, invitation)
	require.NoError(t, err)
	<-asked
	s.signals <- syscall.SIGTERM
	s.signals <- syscall.SIGTERM
	assert.EqualValues(t, exitTempfail, <-s.code)
	assert.Contains(t, stdout.String(), `"outcome":"deferred"`)
	assert.Contains(t, stdout.String(), `"code":"interrupted"`)
}

// TestClosedOutputStops: when the results are not read any more, nothing new is
// begun, and the exit code asks for another run.
func TestClosedOutputStops(t *testing.T) {
	t.Parallel()
	s := start(t, closedPipe{}, "send", "--sandbox", "--format", "jsonl", "--out", filepath.Join(t.TempDir(), "out"))
	_, err := io.WriteString(s.stdin, invitation)
	require.NoError(t, err)
	assert.EqualValues(t, exitTempfail, <-s.code)
	assert.Contains(t, s.stderr.String(), "the results could not be written")
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }
