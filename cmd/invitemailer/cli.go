package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"

	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer"
)

// Main is one run of the command. Its environment is that of the process.
type Main struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Signals ask to stop: the first softly, the second at once. See obey.
	Signals <-chan os.Signal
	// Exit ends a process whose command does not end when told to, as within a read. Nil waits.
	Exit func(code int)
	// DialSMTP connects to the mail server, for tests that watch it. Nil is over the network.
	DialSMTP func(ctx context.Context, network, addr string) (net.Conn, error)
	// Around may put something around what the mailer is made of, in tests.
	Around func(*mailer.Config)
	// BusyTimeout is how long the ledger waits for another process, for tests; 0 is its default.
	BusyTimeout time.Duration
}

// cli is every flag and subcommand.
type cli struct {
	settings

	Send      sendCmd      `cmd:"" help:"Create Smart Invites and mail them: invitations and their updates."`
	Cancel    cancelCmd    `cmd:"" help:"Cancel Smart Invites and mail the cancellations."`
	Status    statusCmd    `cmd:"" help:"Show what the ledger knows, one line for each invite."`
	Serve     serveCmd     `cmd:"" help:"${serve}"`
	Sandbox   sandboxCmd   `cmd:"" help:"Run a simulator of the API and a mail server, to develop any program against."`
	Forget    forgetCmd    `cmd:"" help:"Remove what is past from the ledger, and people's addresses with it."`
	Preview   previewCmd   `cmd:"" help:"Compose without sending: the .eml files, and one page that shows them."`
	Check     checkCmd     `cmd:"" help:"${check}"`
	Lint      lintCmd      `cmd:"" help:"Check anybody's mail or calendar against the invitation rules."`
	Templates templatesCmd `cmd:"" help:"Write the built-in templates out, or try your own."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
}

// command is a subcommand once its flags are known.
type command interface {
	run(ctx context.Context, inv *invocation) exitCode
}

// invocation is what a subcommand is given.
type invocation struct {
	Main
	Stdout, Stderr *output

	flags  settings
	screen *screen
	// stop ends when the command is to stop; halt asks for it.
	stop context.Context
	halt context.CancelFunc
	// finishes: the first signal leaves the context of the command alone; see finishing.
	finishes atomic.Bool
}

// Run runs the command and returns its exit code.
func (m Main) Run(ctx context.Context) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	inv := &invocation{Main: m}
	inv.stop, inv.halt = context.WithCancel(context.Background())
	defer inv.halt()
	inv.Stdout, inv.Stderr = newOutput(m.Stdout, inv.stop), newOutput(m.Stderr, inv.stop)
	inv.screen = newScreen(inv.Stderr)
	ended := make(chan struct{})
	defer close(ended)
	go inv.obey(ended, cancel)
	return int(inv.command(ctx))
}

// command reads the command line and does what it says.
func (inv *invocation) command(ctx context.Context) exitCode {
	var c cli
	helped := false
	parser, err := kong.New(&c,
		kong.Name("invitemailer"),
		kong.Description("Sends calendar invitations by mail, created at Cronofy and exactly accounted for."),
		kong.Writers(inv.Stdout, inv.Stderr),
		kong.Exit(func(int) { helped = true }),
		kong.Help(printHelp),
		flagHelp,
		kong.PostBuild(settingFlags),
	)
	if err != nil {
		return inv.fail(exitUsage, err.Error())
	}
	parsed, err := parser.Parse(inv.Args)
	var unwritten *fs.PathError
	switch {
	case helped:
		return exitOK
	case errors.As(err, &unwritten) && unwritten.Op == "write", errors.Is(err, errUnread): // the help
		return inv.unwritten(err)
	case err == nil:
		err = givenTwice(parsed.Path)
	}
	if err != nil {
		return inv.usage(err)
	}
	chosen, ok := parsed.Selected().Target.Addr().Interface().(command)
	if !ok {
		return inv.usage(usageError("that is no command"))
	}
	inv.flags = c.settings
	return chosen.run(ctx, inv)
}

// settingFlags leaves the flags of settings empty unless they are given, since their defaults come
// after the environment. Their help is the name of the variable.
func settingFlags(k *kong.Kong) error {
	for _, f := range k.Model.Flags {
		if variable := f.Tag.Get("envconfig"); variable != "" {
			f.HasDefault, f.Default, f.Help = false, "", variable
		}
	}
	return nil
}

// givenTwice refuses two values for a flag that has one: the other would be lost in silence.
func givenTwice(path []*kong.Path) error {
	seen := make(map[*kong.Flag]bool)
	for _, p := range path {
		if p.Flag == nil || p.Flag.IsCumulative() {
			continue
		}
		if seen[p.Flag] {
			return usageError("--" + p.Flag.Name + " is given twice; give it once")
		}
		seen[p.Flag] = true
	}
	return nil
}

// usageError is what is wrong with a command line.
type usageError string

func (e usageError) Error() string { return string(e) }

// usage says what is wrong with the command line.
func (inv *invocation) usage(err error) exitCode {
	return inv.fail(exitUsage, err.Error()+"; see invitemailer --help")
}

// fail says on standard error why there is nothing to be done.
func (inv *invocation) fail(code exitCode, messages ...string) exitCode {
	for _, message := range messages {
		_, _ = fmt.Fprintf(inv.Stderr, "invitemailer: %s\n", safetext.Line(message))
	}
	return code
}

// print writes a text to standard output.
func (inv *invocation) print(text string) exitCode {
	if _, err := io.WriteString(inv.Stdout, strings.TrimRight(text, "\n")+"\n"); err != nil {
		return inv.unwritten(err)
	}
	return exitOK
}

// unwritten is for results that could not be written.
func (inv *invocation) unwritten(err error) exitCode {
	return inv.fail(exitTempfail, unwrittenText+": "+err.Error())
}

const unwrittenText = "the results could not be written: nobody reads them any more, or the disk is full"
