package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// impatient is the command, except that its ledger hardly waits for others. When
// it comes to the point INVITEMAILER_TEST_LOCK, another hand takes the lock of the
// ledger and never gives it back.
func impatient() {
	point, file := os.Getenv("INVITEMAILER_TEST_LOCK"), strings.TrimPrefix(os.Getenv("INVITEMAILER_LEDGER"), "sqlite:")
	_ = os.Unsetenv("INVITEMAILER_TEST_LOCK")
	var once sync.Once
	m := Main{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		BusyTimeout: 20 * time.Millisecond}.watching(func(at string) {
		if at != point {
			return
		}
		once.Do(func() {
			if _, err := lockLedger(file); err != nil {
				panic(err)
			}
		})
	})
	os.Exit(m.Run(context.Background()))
}

// trouble is a place to run the command in whose ledger gives trouble.
type trouble struct {
	dir   string
	api   *cronofytest.Server
	inbox *submissiontest.Inbox
	env   []string
}

func newTrouble(t *testing.T) *trouble {
	t.Helper()
	p := &trouble{dir: t.TempDir(), api: cronofytest.New(cronofytest.Options{}),
		inbox: submissiontest.NewInbox(submissiontest.Options{})}
	server := httptest.NewServer(p.api)
	t.Cleanup(server.Close)
	require.NoError(t, p.inbox.Start())
	t.Cleanup(func() { require.NoError(t, p.inbox.Close()) })
	p.env = []string{"PATH=" + os.Getenv("PATH"), "CRONOFY_API_KEY=key", "CRONOFY_API_URL=" + server.URL,
		"CRONOFY_RATE_PER_SECOND=-1",
		"CRONOFY_RATE_PER_MINUTE=-1", "SMTP_HOST=127.0.0.1", "SMTP_PORT=" +
			strconv.Itoa(p.inbox.Port()), "SMTP_TLS=none",
		"INVITEMAILER_LEDGER=sqlite:" + filepath.Join(p.dir, "ledger.sqlite")}
	return p
}

// ended is a run that is over.
type ended struct {
	code        int
	out, stderr string
}

// run runs a command of this test over a file.
func (p *trouble) run(t *testing.T, command, file string, env ...string) ended {
	t.Helper()
	return p.start(t, env, command, "send", "--retry-for=0s", file)
}

// exec runs any command.
func (p *trouble) exec(t *testing.T, command string, args ...string) ended {
	t.Helper()
	return p.start(t, nil, command, args...)
}

func (p *trouble) start(t *testing.T, env []string, command string, args ...string) ended {
	t.Helper()
	c := exec.CommandContext(context.WithoutCancel(t.Context()), command, args...)
	c.Dir, c.Env = p.dir, append(slices.Clone(p.env), env...)
	var out, stderr bytes.Buffer
	c.Stdout, c.Stderr = &out, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		assert.NoError(t, err)
	}
	return ended{c.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// copies counts the mails of each recipient, and requires that those of one are
// the same.
func (p *trouble) copies(t *testing.T) map[string]int {
	t.Helper()
	first, n := make(map[string]string), make(map[string]int)
	for _, m := range p.inbox.Messages() {
		to := strings.Join(m.To, ",")
		if n[to]++; n[to] > 1 {
			require.Equal(t, first[to], string(m.Data), "two different mails to %s", to)
		}
		first[to] = string(m.Data)
	}
	return n
}

// TestLockedAtAnyWrite: whichever write of a run finds the ledger locked, the run
// ends with 75 and no mail leaves that is not on record. The next run sends what
// is missing, and a second copy only of the one whose outcome could not be
// written.
func TestLockedAtAnyWrite(t *testing.T) {
	t.Parallel()
	for _, point := range []string{beforeClaim, beforeCreate, beforeSubmitting, beforeFinish} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			p := newTrouble(t)
			file := filepath.Join(p.dir, "invites.jsonl")
			writeInvites(t, file, 5)
			run := p.run(t, "impatient", file, "INVITEMAILER_TEST_LOCK="+point)
			assert.Equal(t, int(exitTempfail), run.code, run.stderr)
			assert.Contains(t, run.stderr, "another process holds its lock")
			left := 0
			if point == beforeFinish {
				left = 1
			}
			sent := len(p.inbox.Messages())
			assert.LessOrEqual(t, sent, 4*left, "mails that left are those in hand, which were on record")
			assert.NotContains(t, run.out, `"outcome":"sent"`)

			letClaimsRunOut(t, filepath.Join(p.dir, "ledger.sqlite"))
			run = p.run(t, "invitemailer", file)
			if left > 0 {
				assert.Equal(t, int(exitTempfail), run.code, "what is in doubt waits")
				assert.Len(t, p.inbox.Messages(), 5, "and the rest is sent")
				anHour(t, filepath.Join(p.dir, "ledger.sqlite"))
				run = p.run(t, "invitemailer", file)
			}
			assert.Zero(t, run.code, run.stderr)
			copies := p.copies(t)
			assert.Len(t, copies, 5)
			assert.Len(t, p.inbox.Messages(), 5+sent, "second copies")
		})
	}
}

// letClaimsRunOut does what half a minute does to the claims of a run that could
// not give them back.
func letClaimsRunOut(t *testing.T, file string) {
	t.Helper()
	c, done, err := openSQL(file)
	require.NoError(t, err)
	_, err = c.ExecContext(t.Context(), "UPDATE claim SET expires = 0")
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.NoError(t, done())
}

// TestTwoRunsAtOnce: two runs over the same file share the work. Everybody has
// one mail, and a run that left some to the other asks to be run again.
func TestTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	const n = 200
	p := newTrouble(t)
	file := filepath.Join(p.dir, "invites.jsonl")
	writeInvites(t, file, n)
	var runs [2]ended
	var both sync.WaitGroup
	for i := range runs {
		both.Go(func() { runs[i] = p.exec(t, "invitemailer", "send", "--all", "--retry-for=0s", file) })
	}
	both.Wait()
	sent, inHand := 0, 0
	for _, run := range runs {
		assert.Contains(t, []int{int(exitOK), int(exitTempfail)}, run.code, run.stderr)
		assert.Equal(t, n, strings.Count(run.out, "\n"), "a line for each invite")
		sent += strings.Count(run.out, `"outcome":"sent"`)
		deferred := strings.Count(run.out, `"outcome":"deferred"`)
		inHand += strings.Count(run.out, `"code":"in_progress"`)
		assert.Equal(t, deferred > 0, run.code == int(exitTempfail))
	}
	t.Logf("%d were in the hand of the other run", inHand)
	assert.Equal(t, n, sent)
	copies := p.copies(t)
	assert.Len(t, copies, n)
	for i := range n {
		assert.Equal(t, 1, copies[fmt.Sprintf("person%d@example.org", i)])
	}
	assert.Equal(t, n, p.api.Count(), "requests")

	third := p.exec(t, "invitemailer", "send", "--all", file)
	assert.Zero(t, third.code, third.stderr)
	assert.Equal(t, n, strings.Count(third.out, `"outcome":"unchanged"`))
	assert.Len(t, p.inbox.Messages(), n)
}
