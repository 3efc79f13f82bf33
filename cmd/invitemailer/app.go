package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
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
	// Exit ends a process whose command does not end although it was told to, as
	// in the middle of a read from a pipe. Nil waits for it.
	Exit func(code int)
	// DialSMTP connects to the mail server, for tests that watch what is said there. Nil
	// is over the network.
	DialSMTP func(ctx context.Context, network, addr string) (net.Conn, error)
	// Around is given what the mailer is made of, for tests that put something around
	// it. Nil is not called.
	Around func(*mailer.Config)
	// Patience is how long the ledger waits for another process, for tests that
	// cannot wait as long as people can. 0 is the ledger's own choice.
	Patience time.Duration
}

// cli is every flag and subcommand.
type cli struct {
	settings

	Send      sendCmd      `cmd:"" help:"Create Smart Invites and mail them: invitations and their updates."`
	Cancel    cancelCmd    `cmd:"" help:"Cancel Smart Invites and mail the cancellations."`
	Status    statusCmd    `cmd:"" help:"Show what the ledger knows, one line for each invite."`
	Serve     serveCmd     `cmd:"" help:"Receive Cronofy's callbacks, keep the answers, and show them; with health and metrics."`
	Sandbox   sandboxCmd   `cmd:"" help:"Run a simulator of the API and a mail server, to develop any program against."`
	Forget    forgetCmd    `cmd:"" help:"Remove what is past from the ledger, and people's addresses with it."`
	Preview   previewCmd   `cmd:"" help:"Compose without sending: the .eml files, and one page that shows them."`
	Check     checkCmd     `cmd:"" help:"Try the configuration: ledger, API key, SMTP connection, TLS, login, sender. Sends nothing."`
	Lint      lintCmd      `cmd:"" help:"Check anybody's mail or calendar against the invitation rules."`
	Templates templatesCmd `cmd:"" help:"Write the built-in templates out, or try your own."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
}

// command is a subcommand once its flags are known.
type command interface {
	run(ctx context.Context, inv *invocation) exitCode
}

// invocation is what a subcommand is given: its surroundings, the settings that
// came as flags, and how it is asked to stop.
type invocation struct {
	Main
	Stdout, Stderr *output

	flags  settings
	screen *screen
	stop   *stopper
	// underWay: the first signal leaves the context alone; see finishing.
	underWay atomic.Bool
}

// Run runs the command and returns its exit code.
func (m Main) Run(ctx context.Context) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := newStopper()
	defer stop.stop()
	inv := &invocation{Main: m, stop: stop, Stdout: newOutput(m.Stdout, stop), Stderr: newOutput(m.Stderr, stop)}
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
		kong.PostBuild(withoutDefaults),
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
	case err != nil:
		return inv.fail(exitUsage, err.Error()+"; see invitemailer --help")
	}
	if err := givenTwice(parsed.Path); err != nil {
		return inv.fail(exitUsage, err.Error()+"; see invitemailer --help")
	}
	chosen, ok := parsed.Selected().Target.Addr().Interface().(command)
	if !ok {
		return inv.fail(exitUsage, "that is no command; see invitemailer --help")
	}
	inv.flags = c.settings
	return chosen.run(ctx, inv)
}

// withoutDefaults leaves the flags of settings empty unless they are given, since their defaults
// come after the environment. Their help is the name of the variable.
func withoutDefaults(k *kong.Kong) error {
	for _, f := range k.Model.Flags {
		if variable := f.Tag.Get("envconfig"); variable != "" {
			f.HasDefault, f.Default, f.Help = false, "", variable
		}
	}
	return nil
}

// givenTwice refuses a flag that has one value and is given several: whichever
// counted, the other would be lost in silence.
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

// fail says on standard error why there is nothing to be done.
func (inv *invocation) fail(code exitCode, messages ...string) exitCode {
	for _, message := range messages {
		_, _ = fmt.Fprintf(inv.Stderr, "invitemailer: %s\n", safetext.Line(message))
	}
	return code
}

// misconfigured reports all problems of the settings at once, in the form that
// logs have.
func (inv *invocation) misconfigured(s settings, problems []string) exitCode {
	if s.Log != logJSON {
		return inv.fail(exitConfig, problems...)
	}
	logger := slog.New(slog.NewJSONHandler(safetext.JSONWriter(inv.Stderr), nil))
	for _, p := range problems {
		logger.Error(p)
	}
	return exitConfig
}
