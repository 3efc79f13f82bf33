package main

import (
	"errors"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
)

// exitCode is how the command ends, in the numbers of sysexits(3) where they
// fit.
type exitCode int

// The exit codes, in the order in which they win where several apply.
const (
	exitUsage    exitCode = 64 // the command line is wrong
	exitConfig   exitCode = 78 // settings, ledger, key or login
	exitTempfail exitCode = 75 // run again: deferred, unknown, stopped, ledger busy
	exitFailed   exitCode = 1  // failed, expired, or held
	exitData     exitCode = 65 // some input is invalid, the rest is done
	exitOK       exitCode = 0  // all sent, unchanged or valid
)

// tally counts how the invites of a run ended.
type tally struct {
	outcomes map[mailer.Outcome]int
	held     int // of those unknown: never to be repeated
}

func newTally() *tally { return &tally{outcomes: make(map[mailer.Outcome]int)} }

// add counts a receipt. With hold, an unknown end stays one.
func (t *tally) add(r *mailer.Receipt, hold bool) {
	t.outcomes[r.Outcome]++
	if r.Outcome == mailer.Unknown && (hold || r.Error != nil && r.Error.Code == mailer.CodeHeld) {
		t.held++
	}
}

// code is the exit code of a run that counted t and ended with err.
func (t *tally) code(err error) exitCode {
	var stopped *mailer.Error
	switch {
	case errors.As(err, &stopped) && stopped.Code != mailer.CodeLedgerBusy:
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

// apiCode is the exit code for a request that failed, or for what kept it from
// being made.
func apiCode(err error) exitCode {
	var e cronofy.Error
	if !errors.As(err, &e) {
		return ledgerCode(err)
	}
	if again, _ := e.Retryable(); again {
		return exitTempfail
	}
	return exitConfig
}
