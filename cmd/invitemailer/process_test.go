package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// waitLimit is how long a test waits for what must come; it is no measure of
// anything.
const waitLimit = time.Minute

// process is the command as a user runs it in a terminal of its own.
type process struct {
	t   testing.TB
	cmd *exec.Cmd

	mu             sync.Mutex
	stdout, stderr []string
	news           chan struct{} // closed and replaced at each line
	read           sync.WaitGroup
}

// launch runs the command in dir with this environment, and stops it in the end.
func launch(t testing.TB, dir string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, news: make(chan struct{})}
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), "invitemailer", args...)
	p.cmd.Dir = dir
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, env...)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	stderr, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	p.read.Go(func() { p.follow(stdout, &p.stdout) })
	p.read.Go(func() { p.follow(stderr, &p.stderr) })
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			p.read.Wait()
			_ = p.cmd.Wait()
		}
		if t.Failed() {
			t.Logf("%v said:\n%s", args, strings.Join(p.stderr, "\n"))
		}
	})
	return p
}

func (p *process) follow(r io.Reader, to *[]string) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		p.mu.Lock()
		*to = append(*to, lines.Text())
		close(p.news)
		p.news = make(chan struct{})
		p.mu.Unlock()
	}
}

// said waits for a line of standard output (or of standard error) and returns what
// the pattern's first group matched.
func (p *process) said(of *[]string, pattern string) string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	timeout := time.After(waitLimit)
	for {
		p.mu.Lock()
		lines, news := *of, p.news
		p.mu.Unlock()
		for _, line := range lines {
			if m := re.FindStringSubmatch(line); m != nil {
				return m[len(m)-1]
			}
		}
		select {
		case <-news:
		case <-timeout:
			require.FailNowf(p.t, "nothing said", "no line matches %s among:\n%s", pattern, strings.Join(lines, "\n"))
		}
	}
}

// terminate asks the process to end, waits until it has, and returns its exit code.
func (p *process) terminate() int {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(os.Interrupt))
	p.read.Wait()
	_ = p.cmd.Wait() // the code says it
	return p.cmd.ProcessState.ExitCode()
}

// finish runs the command to its end and returns standard output and the exit code.
func finish(t *testing.T, dir string, env []string, args ...string) (string, int) {
	t.Helper()
	p := launch(t, dir, env, args...)
	p.read.Wait()
	_ = p.cmd.Wait()
	return strings.Join(p.stdout, "\n"), p.cmd.ProcessState.ExitCode()
}

// writeInvites writes n records of as many people to a file.
func writeInvites(tb testing.TB, file string, n int) {
	tb.Helper()
	f, err := os.Create(file)
	require.NoError(tb, err)
	w := bufio.NewWriter(f)
	for i := range n {
		_, err := fmt.Fprintf(w, `{"smart_invite_id":"event-%d","recipient":{"email":"person%d@example.org",`+
			`"name":"Person %d"},"event":{"summary":"Interview %d","description":"Third floor, ask for Jane.",`+
			`"start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z","tzid":"Europe/London",`+
			`"location":{"description":"Acme, Berlin"}},"organizer":{"name":"Acme HR",`+
			`"email":"invites@acme.example"}}`+"\n", i, i, i, i)
		require.NoError(tb, err)
	}
	require.NoError(tb, w.Flush())
	require.NoError(tb, f.Close())
}
