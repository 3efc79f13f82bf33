package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer/lint"
)

// lintCmd checks any mail or calendar against the invitation rules.
type lintCmd struct {
	Mails []string `arg:"" optional:"" name:"mail" help:"${lint_mails}"`

	Profile  string `enum:"any,own" default:"any" placeholder:"NAME" help:"${lint_profile}"`
	Previous string `placeholder:"FILE" help:"The mail or calendar that was sent before about the same event."`
	Level    string `enum:"error,warning" default:"warning" placeholder:"LEVEL" help:"${lint_level}"`
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

// columns is the finding as people read it on a terminal.
func (l lintLine) columns() string {
	place := safetext.Line(l.File)
	if l.Message > 0 {
		place = fmt.Sprintf("%s[%d]", place, l.Message)
	}
	return fmt.Sprintf("%s: %-7s  %s  %-24s  %s\n%*s%s", place, l.Level, l.Rule,
		safetext.Line(l.Where), safetext.Line(l.What), len(place)+2, "", safetext.Line(l.Fix))
}

func (c *lintCmd) run(ctx context.Context, inv *invocation) exitCode {
	switch {
	case c.Rules:
		return inv.print(ruleTable())
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
			return inv.fail(exitUsage, "no input: name a FILE, or pipe a mail into standard input; "+
				"see invitemailer lint --help")
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
			return inv.fail(exitUsage, fmt.Sprintf("--previous %s: %v; "+
				"name the mail or calendar that was sent before", c.Previous, err))
		}
	}
	l := &linting{lintCmd: c, inv: inv, options: o, out: inv.results(c.JSON)}
	for _, name := range names {
		if ctx.Err() != nil {
			return exitTempfail
		}
		l.file(name)
	}
	return l.finish()
}

func ruleTable() string {
	var text strings.Builder
	rows := [][]string{{"RULE", "OWN", "ANY", "WHAT IT WANTS"}}
	for _, r := range lint.Rules() {
		rows = append(rows, []string{r.ID, string(r.Own), string(r.Any), r.Title})
	}
	writeTable(&text, rows)
	return text.String()
}

// linting is one run over several files.
type linting struct {
	*lintCmd
	inv     *invocation
	options lint.Options
	out     *results

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
	var first []lint.Finding // kept until it is known whether more follow
	n := 0
	for data, err := range lint.Messages(r) {
		if err != nil {
			l.fail(name, err)
			break
		}
		n++
		findings := lint.Check(data, l.options)
		switch n {
		case 1:
			first = findings
			continue
		case 2: // an mbox: its messages have numbers
			l.put(name, 1, first)
		}
		l.put(name, n, findings)
	}
	if n == 1 {
		l.put(name, 0, first)
	}
	l.checked += n
}

func (l *linting) fail(name string, err error) {
	l.unread = true
	_ = l.inv.fail(exitNoInput, fmt.Sprintf("%s: %v", name, err))
}

func (l *linting) put(name string, message int, findings []lint.Finding) {
	for _, f := range findings {
		if f.Level == lint.Error {
			l.errors++
		} else {
			l.warnings++
			if l.Level == string(lint.Error) {
				continue
			}
		}
		l.out.write(lintLine{File: name, Message: message, Finding: f})
	}
}

// finish sums up on standard error and says how the run ends.
func (l *linting) finish() exitCode {
	if err := l.out.failed(); err != nil {
		return l.inv.unwritten(err)
	}
	fmt.Fprintf(l.inv.Stderr, "invitemailer: %d checked, %d errors, %d warnings; "+
		"invitemailer lint --explain RULE says more of each\n", l.checked, l.errors, l.warnings)
	switch {
	case l.unread:
		return exitNoInput
	case l.errors > 0 || l.Strict && l.warnings > 0:
		return exitData
	}
	return exitOK
}
