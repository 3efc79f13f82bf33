package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer/lint"
)

// lintCmd checks anybody's mail or calendar against the invitation rules.
type lintCmd struct {
	Mails []string `arg:"" optional:"" name:"mail" help:"Files to check (.eml, .ics or mbox), or - for standard input, which is read if no file is named and it is not a terminal."`

	Profile  string `enum:"any,own" default:"any" placeholder:"NAME" help:"How strict: any for the mail of others, own for what invitemailer sends (default any)."`
	Previous string `placeholder:"FILE" help:"The mail or calendar that was sent before about the same event."`
	Level    string `enum:"error,warning" default:"warning" placeholder:"LEVEL" help:"The lowest level to show: error or warning (default warning)."`
	Strict   bool   `help:"Warnings fail the check too."`
	JSON     bool   `name:"json" help:"Write findings as JSON on a terminal too."`
	Explain  string `placeholder:"RULE" help:"Print one rule in full, such as IM33, and check nothing."`
	Rules    bool   `help:"List all rules, and check nothing."`
}

// lintLine is a finding on standard output.
type lintLine struct {
	File    string `json:"file"`
	Message int    `json:"message,omitempty"` // of an mbox, from 1
	lint.Finding
}

func (c *lintCmd) run(ctx context.Context, inv *invocation) exitCode {
	switch {
	case c.Rules:
		return c.list(inv)
	case c.Explain != "":
		text, ok := lint.Explain(c.Explain)
		if !ok {
			return inv.fail(exitUsage, fmt.Sprintf("there is no rule %q; see invitemailer lint --rules", c.Explain))
		}
		return inv.print(text)
	}
	names := c.Mails
	if len(names) == 0 {
		if isTerminal(inv.Stdin) {
			return inv.fail(exitUsage, "no input: name a FILE, or pipe a mail into standard input; see invitemailer lint --help")
		}
		names = []string{"-"}
	}
	o := lint.Options{Now: time.Now(), Profile: lint.Profile(c.Profile)}
	if c.Previous != "" {
		data, err := os.ReadFile(c.Previous)
		if err == nil {
			o.Previous, err = lint.ReadPrevious(data)
		}
		if err != nil {
			return inv.fail(exitUsage, fmt.Sprintf("--previous %s: %v; name the mail or calendar that was sent before", c.Previous, err))
		}
	}
	l := &linting{lintCmd: c, inv: inv, options: o, out: bufio.NewWriter(inv.Stdout), columns: isTerminal(inv.Stdout) && !c.JSON}
	for _, name := range names {
		if ctx.Err() != nil {
			return exitTempfail
		}
		l.file(name)
	}
	return l.finish()
}

func (c *lintCmd) list(inv *invocation) exitCode {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RULE\tOWN\tANY\tWHAT IT WANTS")
	for _, r := range lint.Rules() {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.ID, r.Own, r.Any, r.Title)
	}
	_ = table.Flush() // a strings.Builder takes everything
	return inv.print(text.String())
}

// print writes a text to standard output.
func (inv *invocation) print(text string) exitCode {
	if _, err := io.WriteString(inv.Stdout, strings.TrimRight(text, "\n")+"\n"); err != nil {
		return inv.unwritten(err)
	}
	return exitOK
}

// linting is one run over several files.
type linting struct {
	*lintCmd
	inv     *invocation
	options lint.Options
	out     *bufio.Writer
	columns bool

	checked, errors, warnings int
	unread                    bool
}

func (l *linting) file(name string) {
	r := l.inv.Stdin
	if name == "-" {
		name = "standard input"
	} else {
		f, err := os.Open(name)
		if err != nil {
			l.fail(name, err)
			return
		}
		defer func() { _ = f.Close() }() // only read
		r = f
	}
	var lines []lintLine
	n := 0
	for data, err := range lint.Messages(r) {
		if err != nil {
			l.fail(name, err)
			break
		}
		n++
		for _, f := range lint.Check(data, l.options) {
			lines = append(lines, lintLine{File: name, Message: n, Finding: f})
		}
		if n > 1 { // an mbox: its messages have numbers
			l.put(lines)
			lines = nil
		}
	}
	if n <= 1 {
		for i := range lines {
			lines[i].Message = 0
		}
	}
	l.put(lines)
	l.checked += n
}

func (l *linting) fail(name string, err error) {
	l.unread = true
	_ = l.inv.fail(exitNoInput, fmt.Sprintf("%s: %v", name, err))
}

func (l *linting) put(lines []lintLine) {
	for _, line := range lines {
		if line.Level == lint.Error {
			l.errors++
		} else {
			l.warnings++
			if l.Level == string(lint.Error) {
				continue
			}
		}
		if l.columns {
			place := safetext.Line(line.File)
			if line.Message > 0 {
				place = fmt.Sprintf("%s[%d]", place, line.Message)
			}
			fmt.Fprintf(l.out, "%s: %-7s  %s  %-24s  %s\n%*s%s\n", place, line.Level, line.Rule, safetext.Line(line.Where), safetext.Line(line.What), len(place)+2, "", safetext.Line(line.Fix))
			continue
		}
		data, err := json.Marshal(line)
		if err == nil {
			_, _ = safetext.JSONWriter(l.out).Write(append(data, '\n')) // a bufio.Writer keeps its error until Flush
		}
	}
}

// finish sums up on standard error and says how the run ends.
func (l *linting) finish() exitCode {
	if err := l.out.Flush(); err != nil {
		return l.inv.unwritten(err)
	}
	fmt.Fprintf(l.inv.Stderr, "invitemailer: %d checked, %d errors, %d warnings; invitemailer lint --explain RULE says more of each\n", l.checked, l.errors, l.warnings)
	switch {
	case l.unread:
		return exitNoInput
	case l.errors > 0 || l.Strict && l.warnings > 0:
		return exitData
	}
	return exitOK
}
