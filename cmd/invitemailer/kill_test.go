package main

import (
	"context"
	"database/sql"
	"errors"
	"net/http/httptest"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/smtptest"
)

// dying is the command, except that it kills itself, as kill -9 does, when it
// comes to a point for the n-th time: INVITEMAILER_TEST_DIE=POINT#N.
func dying() {
	point, count, _ := strings.Cut(os.Getenv("INVITEMAILER_TEST_DIE"), "#")
	n, _ := strconv.Atoi(count)
	_ = os.Unsetenv("INVITEMAILER_TEST_DIE")
	var mu sync.Mutex
	m := Main{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}.watching(func(at string) {
		mu.Lock()
		defer mu.Unlock()
		if at != point {
			return
		}
		if n--; n == 0 {
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Kill()
			}
			select {} // it is not instant
		}
	})
	os.Exit(m.Run(context.Background()))
}

// dyingCommand is the dying command as a file. Under the race detector it is
// built anew without it: a process that lives for milliseconds and dies a few
// hundred times has nothing to tell the detector but its start-up time.
func dyingCommand(t *testing.T) string {
	t.Helper()
	if !raceDetector {
		return "dying"
	}
	file := filepath.Join(t.TempDir(), "dying")
	out, err := exec.CommandContext(context.WithoutCancel(t.Context()), "go", "test", "-c", "-o", file, ".").CombinedOutput()
	require.NoErrorf(t, err, "%s", out)
	return file
}

// place is a point at which a run can die, and whether the SMTP server makes it
// come there.
type place struct {
	point    string
	lockStep bool // the server does not offer PIPELINING
}

func (p place) String() string {
	if p.lockStep {
		return p.point + " in lock-step"
	}
	return p.point
}

// places are all the points at which a run can die: those of the pipeline and
// of connecting once, the others with each kind of SMTP server that comes there.
func places() []place {
	var all []place
	for _, point := range points() {
		all = append(all, place{point: point})
	}
	for _, point := range []string{beforeConnect, afterConnect, beforeGroup, afterGroup} {
		all = append(all, place{point: point})
	}
	for _, point := range []string{
		beforeReset, afterReset, beforeMail, afterMail, beforeRcpt, afterRcpt, beforeData, afterData,
	} {
		all = append(all, place{point: point, lockStep: true})
	}
	for _, point := range []string{beforeContent, afterContent, afterReply} {
		all = append(all, place{point: point}, place{point: point, lockStep: true})
	}
	return all
}

// The batch before the crash, and the one that crashes: an update, a
// cancellation, one unchanged, two new ones and a group.
const (
	killBefore = `{"smart_invite_id":"moved","recipient":{"email":"moved@example.org"},"event":{"summary":"Moved","start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z"}}
{"smart_invite_id":"off","recipient":{"email":"off@example.org"},"event":{"summary":"Off","start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z"}}
{"smart_invite_id":"same","recipient":{"email":"same@example.org"},"event":{"summary":"Same","start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z"}}
`
	killBatch = `{"smart_invite_id":"new","recipient":{"email":"new@example.org"},"event":{"summary":"New","start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z"}}
{"smart_invite_id":"moved","recipient":{"email":"moved@example.org"},"event":{"summary":"Moved","start":"2087-04-30T09:30:00Z","end":"2087-04-30T10:00:00Z"}}
{"smart_invite_id":"off","recipient":{"email":"off@example.org"},"method":"cancel"}
{"smart_invite_id":"same","recipient":{"email":"same@example.org"},"event":{"summary":"Same","start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z"}}
{"smart_invite_id":"all","recipients":[{"email":"one@example.org"},{"email":"two@example.org"},{"email":"three@example.org"}],"event":{"summary":"All","start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z"}}
{"smart_invite_id":"last","recipient":{"email":"last@example.org"},"event":{"summary":"Last","start":"2087-04-29T09:30:00Z","end":"2087-04-29T10:00:00Z"}}
`
	killMails    = 7 // that the batch gives rise to
	killRequests = 5
)

// killed is a place to run the dying command in.
type killed struct {
	command string // the dying one
	dir     string
	api     *cronofytest.Server
	smtp    *smtptest.Server
	env     []string
}

func newKilled(t *testing.T, lockStep bool) *killed {
	t.Helper()
	k := &killed{dir: t.TempDir(), api: cronofytest.New(cronofytest.Options{})}
	// The second recipient of a run is refused for a while, so that the way of
	// the third one begins with RSET.
	k.smtp = &smtptest.Server{Script: func(e smtptest.Event) smtptest.Fault {
		if e.Transaction == 5 && e.Point == smtptest.AtRcpt {
			return smtptest.Say("451 4.3.0 later")
		}
		return smtptest.Fault{}
	}}
	if lockStep {
		k.smtp.Extensions = []string{"8BITMIME", "ENHANCEDSTATUSCODES"}
	}
	require.NoError(t, k.smtp.Start())
	t.Cleanup(func() { require.NoError(t, k.smtp.Close()) })
	server := httptest.NewServer(k.api)
	t.Cleanup(server.Close)
	k.env = []string{"PATH=" + os.Getenv("PATH"), "CRONOFY_API_KEY=key", "CRONOFY_API_URL=" + server.URL, "SMTP_HOST=127.0.0.1",
		"SMTP_PORT=" + strconv.Itoa(k.smtp.Port()), "SMTP_TLS=none", "ORGANIZER_EMAIL=invites@acme.example",
		"INVITEMAILER_LEDGER=sqlite:" + k.ledger()}
	require.NoError(t, os.WriteFile(filepath.Join(k.dir, "before.jsonl"), []byte(killBefore), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(k.dir, "batch.jsonl"), []byte(killBatch), 0o600))
	return k
}

func (k *killed) ledger() string { return filepath.Join(k.dir, "ledger.sqlite") }

// run runs the command over a file and returns its exit code, -1 if it was
// killed.
func (k *killed) run(t *testing.T, file, die string, flags ...string) int {
	t.Helper()
	command := exec.CommandContext(context.WithoutCancel(t.Context()), k.command, append([]string{"send", "--retry-for=0s", file}, flags...)...)
	command.Dir, command.Env = k.dir, append(slices.Clone(k.env), "INVITEMAILER_TEST_DIE="+die)
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoErrorf(t, err, "%s", out)
	}
	if code := command.ProcessState.ExitCode(); code != 0 {
		t.Logf("exit %d: %.3000s", code, out)
		return code
	}
	return 0
}

// halfAMinute lets the claims of the dead run out, as half a minute would.
func (k *killed) halfAMinute(t *testing.T) {
	t.Helper()
	change(t, k.ledger(), "UPDATE claim SET expires = 0")
}

// anHour lets the time pass after which a mail whose end is unknown is repeated.
func anHour(t *testing.T, ledger string) {
	t.Helper()
	change(t, ledger, "UPDATE revision SET first_submitted_at = first_submitted_at - 3600000000")
}

// change changes a ledger, if there is one yet, behind the command's back.
func change(t *testing.T, ledger, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", ledger)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), statement)
	if err != nil && !strings.Contains(err.Error(), "no such table") {
		require.NoError(t, err)
	}
}

// TestKilledAnywhere kills the command at every point of the way of an invite,
// those of SMTP with a server that takes groups and with one that does not, for the first time that it comes there and for a later one, and runs it again
// until it is done. Then every recipient has the mail that was meant for them,
// nobody has two different ones, and a second copy exists only where the end of
// the first was unknown: the same Message-ID and the same bytes.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	dying := dyingCommand(t)
	for _, at := range places() {
		t.Run(at.String()+"/first, alone", func(t *testing.T) {
			t.Parallel()
			killAt(t, dying, at, 1, 1)
		})
		t.Run(at.String()+"/later, among others", func(t *testing.T) {
			t.Parallel()
			killAt(t, dying, at, 3, 4)
		})
	}
}

func killAt(t *testing.T, dying string, at place, n, concurrency int) {
	t.Helper()
	point, k := at.point, newKilled(t, at.lockStep)
	k.command = dying
	require.Zero(t, k.run(t, "before.jsonl", ""))
	before := len(k.smtp.Accepted())
	require.Equal(t, 3, before)

	code := k.run(t, "batch.jsonl", point+"#"+strconv.Itoa(n), "--concurrency", strconv.Itoa(concurrency))
	died := code == -1
	if n == 1 {
		require.True(t, died, "the batch never came to %s: it ended with %d", point, code)
	}
	// All but what is in doubt is done at once, and that is left alone for a while.
	for range 3 {
		if code == 0 {
			break
		}
		k.halfAMinute(t)
		code = k.run(t, "batch.jsonl", "")
	}
	once := make(map[string]bool)
	for _, tx := range k.smtp.Accepted()[before:] {
		assert.False(t, once[tx.To], "no second copy to %s before its time", tx.To)
		once[tx.To] = true
	}
	if code != 0 {
		require.Equal(t, 75, code)
		anHour(t, k.ledger())
		code = k.run(t, "batch.jsonl", "")
	}
	require.Zero(t, code, "the batch is done in the end")
	if n == 1 {
		requests, mails := k.api.Count(), len(k.smtp.Accepted())
		require.Zero(t, k.run(t, "batch.jsonl", ""))
		assert.Equal(t, requests, k.api.Count(), "a last run asks nothing")
		assert.Len(t, k.smtp.Accepted(), mails, "a last run mails nobody")
	}

	copies := make(map[string][]string) // by recipient
	for _, tx := range k.smtp.Accepted()[before:] {
		copies[tx.To] = append(copies[tx.To], string(tx.Data))
	}
	assert.Len(t, copies, killMails, "everybody has a mail")
	assert.NotContains(t, copies, "same@example.org")
	doubtful := 0
	for to, sent := range copies {
		doubtful += len(sent) - 1
		for _, again := range sent[1:] {
			assert.Equal(t, sent[0], again, "the second mail to %s is the first one", to)
		}
		m, err := mail.ReadMessage(strings.NewReader(sent[0]))
		require.NoError(t, err)
		assert.NotEmpty(t, m.Header.Get("Message-Id"))
	}
	// Alone, a mail is in doubt from its last byte to the record of its outcome;
	// with several in hand, so may be as many others as a run lets leave at once.
	inDoubt := 0
	switch {
	case concurrency > 1:
		inDoubt = 2 * mailsPerConnection // on the two connections of the default
	case point == afterContent, point == afterReply, point == beforeFinish:
		inDoubt = 1
	}
	assert.LessOrEqual(t, doubtful, inDoubt, "second copies")
	// Only what was asked and not on record yet when the process died may have
	// been asked in vain: a calendar on record is not asked for again.
	inVain := 0
	switch {
	case !died:
	case concurrency > 1:
		inVain = killRequests
	default:
		inVain = 1
	}
	assert.LessOrEqual(t, k.api.Count()-3, killRequests+inVain, "requests")
	if point != beforeRequest && point != afterRequest && point != beforeCreate && concurrency == 1 {
		assert.Equal(t, killRequests, k.api.Count()-3, "nothing was asked twice")
	}
}
