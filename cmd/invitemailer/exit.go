package main

import (
	"errors"
	"slices"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
)

// exitCode is how the command ends, in the numbers of sysexits(3) where they
// fit.
type exitCode int

// The exit codes, in the order in which they win where several apply.
const (
	exitUsage    exitCode = 64 // the command line is wrong
	exitNoInput  exitCode = 66 // an input cannot be read at all
	exitConfig   exitCode = 78 // settings, ledger, key or login
	exitTempfail exitCode = 75 // run again: deferred, unknown and to be repeated, stopped, ledger busy
	exitFailed   exitCode = 1  // failed, expired, or unknown and for a person to decide
	exitData     exitCode = 65 // some input is invalid, the rest is done
	exitOK       exitCode = 0  // all sent, unchanged or valid, or told by an earlier run
)

// tally counts how the invites of a run ended.
type tally struct {
	outcomes map[mailer.Outcome]int
	held     int // of those unknown: not to be repeated until a person decides
	known    int // not among those: told by an earlier run
	settings int // of those deferred: other settings are asked for
	unread   int // of those invalid: no records, but inputs that cannot be read
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
	if r.Error != nil && r.Error.Code == mailer.CodeNoInput {
		t.unread++
	}
	if r.Outcome == mailer.Unknown && r.Error != nil && !r.Error.Temporary {
		t.held++
	}
	if r.Error != nil && r.Error.Code == mailer.CodeSMTPConfig {
		t.settings++
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
	case err != nil, t.outcomes[mailer.Deferred] > 0, t.outcomes[mailer.Unknown] > t.held:
		return exitTempfail
	case t.outcomes[mailer.Failed] > 0, t.outcomes[mailer.Expired] > 0, t.held > 0:
		return exitFailed
	case t.outcomes[mailer.Invalid] > 0:
		return exitData
	}
	return exitOK
}

// repeats reports whether a receipt says only what an earlier run has told. That
// somebody is missing from the list is told until the list and the invitations
// agree, like a record that is wrong.
func repeats(r *mailer.Receipt) bool {
	return r.Known || r.Outcome == mailer.Unchanged &&
		!slices.ContainsFunc(r.Findings, func(f mailer.Finding) bool { return f.Rule == missingRecipient })
}

// missingRecipient is the rule of the finding that says so.
const missingRecipient = "missing_recipient"

// apiCode is the exit code for a request that failed, or for what kept it from
// being made.
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
