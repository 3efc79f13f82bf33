package main

import (
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"invitemailer": main, "dying": dying, "impatient": impatient})
}

// TestScripts runs the command as its users do; each theme is a file of
// testdata/script. Beyond the commands of testscript there are
//
//	exits CODE COMMAND...   the exit code is CODE
//	lines N FILE PATTERN    N lines of a file, stdout or stderr match
//	api [KEY] [STATUS]      a simulator of the API, at $CRONOFY_API_URL; KEY is
//	                        the only one it takes, STATUS its answer to everything
//	smtp [user password]    a mail server, at $SMTP_HOST and $SMTP_PORT
//	mails N                 so many mails arrived there
//	plain FILE...           nothing in it that a terminal obeys
//	sql FILE STATEMENT      another program writes to a ledger
//	lock FILE, unlock       another process holds its lock for writing
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.Getenv("WORK")+"/home")
			env.Values[mailServer{}] = new(mailServer)
			env.Values[heldKey{}] = new(held)
			return os.Mkdir(env.Getenv("HOME"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "lines": lines, "api": startAPI, "smtp": startSMTP, "mails": mails, "plain": plain,
			"sql": execSQL, "lock": lock, "unlock": unlock,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	var failed *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &failed):
		code = failed.ExitCode()
	case err != nil:
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

func lines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: lines N FILE PATTERN")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	pattern, err := regexp.Compile(args[2])
	ts.Check(err)
	n := 0
	for text := range strings.Lines(ts.ReadFile(args[1])) {
		if pattern.MatchString(strings.TrimSuffix(text, "\n")) {
			n++
		}
	}
	if n != want {
		ts.Fatalf("%d lines of %s match %q, want %d", n, args[1], args[2], want)
	}
}

func plain(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: plain FILE...")
	}
	for _, name := range args {
		for text := range strings.Lines(ts.ReadFile(name)) {
			if text = strings.TrimSuffix(text, "\n"); strings.ContainsFunc(text,
				func(r rune) bool { return !unicode.IsGraphic(r) }) {
				ts.Fatalf("%s is not plain: %q", name, text)
			}
		}
	}
}

func startAPI(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 2 {
		ts.Fatalf("usage: api [KEY] [STATUS]")
	}
	o := cronofytest.Options{}
	if len(args) > 0 {
		o.APIKey = args[0]
	}
	if len(args) > 1 {
		status, err := strconv.Atoi(args[1])
		ts.Check(err)
		o.Fault = func(*cronofytest.Request) *cronofytest.Fault { return cronofytest.FaultStatus(status, time.Hour) }
	}
	server := httptest.NewServer(cronofytest.New(o))
	ts.Defer(server.Close)
	ts.Setenv("CRONOFY_API_URL", server.URL)
}

// mailServer is a script's SMTP server, kept in its values under the zero value.
type mailServer struct{ inbox *submissiontest.Inbox }

func startSMTP(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 && len(args) != 2 {
		ts.Fatalf("usage: smtp [USER PASSWORD]")
	}
	o := submissiontest.Options{}
	if len(args) == 2 {
		o.Username, o.Password, o.LoginInClear = args[0], args[1], true
	}
	inbox := submissiontest.NewInbox(o)
	ts.Check(inbox.Start())
	ts.Defer(func() { _ = inbox.Close() })
	ts.Setenv("SMTP_HOST", "127.0.0.1")
	ts.Setenv("SMTP_PORT", strconv.Itoa(inbox.Port()))
	ts.Setenv("SMTP_TLS", "none")
	ts.Value(mailServer{}).(*mailServer).inbox = inbox
}

func mails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: mails N")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := len(ts.Value(mailServer{}).(*mailServer).inbox.Messages()); got != want {
		ts.Fatalf("%d mails arrived, want %d", got, want)
	}
}
