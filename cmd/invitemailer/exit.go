package main

import (
	"errors"
	"slices"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
)

// exitCode is how the command ends, in the numbers of sysexits(3) where they fit.
type exitCode int

// The exit codes, in the order in which they win where several apply.
const (
	exitUsage    exitCode = 64
	exitNoInput  exitCode = 66
	exitConfig   exitCode = 78
	exitTempfail exitCode = 75
	exitFailed   exitCode = 1
	exitData     exitCode = 65
	exitOK       exitCode = 0
)

const exitCodeHelp = `
Exit codes (the first that applies):
  64  the command line is wrong
  66  an input cannot be read at all
  78  settings, ledger, API key or login have to be fixed
  75  run again: something is deferred, or unknown and to be repeated, or the run was stopped
  1   something failed or expired, or a person has to decide about an unknown end
  65  some input is invalid, the rest is done
  0   all is sent, unchanged or valid, or was told by an earlier run
`

// tally counts how the invites of a run ended.
type tally struct {
	outcomes map[mailer.Outcome]int
	again    int // of those: another run may end better
	settings int // of those deferred: other settings are asked for
	unread   int // of those invalid: no records, but inputs that cannot be read
	known    int // not among those: told by an earlier run
	news     int // receipts that tell of more than an earlier run did
}

func newTally() *tally { return &tally{outcomes: make(map[mailer.Outcome]int)} }

// add counts a receipt.
func (t *tally) add(r *mailer.Receipt) {
	if r.Known {
		t.known++
		return
	}
	t.outcomes[r.Outcome]++
	if !repeats(r) {
		t.news++
	}
	switch {
	case r.Again():
		t.again++
	case r.Outcome == mailer.Deferred:
		t.settings++
	case r.Error != nil && r.Error.Code == mailer.CodeNoInput:
		t.unread++
	}
}

// code is the exit code of a run that counted t and ended with err.
func (t *tally) code(err error) exitCode {
	var stopped *mailer.Error
	switch {
	case t.unread > 0:
		return exitNoInput
	case errors.As(err, &stopped) && !stopped.Temporary, t.settings > 0:
		return exitConfig
	case err != nil, t.again > 0:
		return exitTempfail
	case t.outcomes[mailer.Failed]+t.outcomes[mailer.Expired]+t.outcomes[mailer.Unknown] > 0:
		return exitFailed
	case t.outcomes[mailer.Invalid] > 0:
		return exitData
	}
	return exitOK
}

// repeats reports whether a receipt says only what an earlier run has told. That a recipient is
// missing from the list is told until the list and the invitations agree, like a record that is
// wrong.
func repeats(r *mailer.Receipt) bool {
	missing := func(f mailer.Finding) bool { return f.Rule == "missing_recipient" }
	return r.Known || r.Outcome == mailer.Unchanged && !slices.ContainsFunc(r.Findings, missing)
}

// apiCode is the exit code for a request that failed, or for what kept it from being made.
func apiCode(err error) exitCode {
	var e *cronofy.Error
	if !errors.As(err, &e) {
		return ledgerCode(err)
	}
	if again, _ := e.Retryable(); again {
		return exitTempfail
	}
	return exitConfig
}
