package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// TestExitCode protects the promise of cron jobs: what the code asks for is what
// has to be done, and the most urgent wins.
func TestExitCode(t *testing.T) {
	t.Parallel()
	type counts map[mailer.Outcome]int
	stopped := func(c mailer.Code) error { return &mailer.Error{Code: c, StopsRun: true} }
	for name, c := range map[string]struct {
		outcomes counts
		again    int
		settings int
		unread   int
		err      error
		want     exitCode
	}{
		"nothing": {want: exitOK},
		"no input before all": {outcomes: counts{mailer.Invalid: 1, mailer.Deferred: 1, mailer.Failed: 1},
			unread: 1, err: stopped(mailer.CodeUnauthorized), want: exitNoInput},
		"sent, unchanged, valid": {outcomes: counts{mailer.Sent: 1, mailer.Unchanged: 1, mailer.Valid: 1},
			want: exitOK},
		"invalid":                {outcomes: counts{mailer.Sent: 9, mailer.Invalid: 1}, want: exitData},
		"failed before invalid":  {outcomes: counts{mailer.Invalid: 9, mailer.Failed: 1}, want: exitFailed},
		"expired before invalid": {outcomes: counts{mailer.Invalid: 9, mailer.Expired: 1}, want: exitFailed},
		"held":                   {outcomes: counts{mailer.Unknown: 2, mailer.Invalid: 1}, want: exitFailed},
		"unknown":                {outcomes: counts{mailer.Unknown: 2}, again: 1, want: exitTempfail},
		"deferred before failed": {outcomes: counts{mailer.Deferred: 1, mailer.Failed: 9, mailer.Invalid: 9},
			again: 1, want: exitTempfail},
		"stopped":     {outcomes: counts{mailer.Sent: 1}, err: mailer.ErrStopped, want: exitTempfail},
		"interrupted": {err: context.Canceled, want: exitTempfail},
		"ledger busy": {err: &mailer.Error{Code: mailer.CodeLedgerBusy, StopsRun: true,
			Temporary: true}, want: exitTempfail},
		"quota reached": {outcomes: counts{mailer.Deferred: 1},
			err: &mailer.Error{Code: mailer.CodeSMTPTemporary, StopsRun: true, Temporary: true}, want: exitTempfail},
		"some senders refused": {outcomes: counts{mailer.Sent: 9, mailer.Deferred: 1, mailer.Failed: 1},
			settings: 1, want: exitConfig},
		"ledger unusable": {outcomes: counts{mailer.Deferred: 1},
			err: stopped(mailer.CodeLedgerUnusable), want: exitConfig},
		"key refused": {outcomes: counts{mailer.Deferred: 1, mailer.Failed: 1},
			err: stopped(mailer.CodeUnauthorized), want: exitConfig},
		"login refused, and no pipe": {err: errors.Join(stopped(mailer.CodeSMTPConfig), errors.New("broken pipe")),
			want: exitConfig},
		"results not written": {outcomes: counts{mailer.Sent: 1}, err: errors.New("broken pipe"),
			want: exitTempfail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := tally{outcomes: c.outcomes, again: c.again, settings: c.settings, unread: c.unread}
			assert.Equal(t, c.want, n.code(c.err))
		})
	}
}

// TestTally: an unknown end that will not be repeated needs a person, not a later
// run; and each end alarms once.
func TestTally(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		receipt mailer.Receipt
		want    exitCode
	}{
		"to be decided": {mailer.Receipt{Outcome: mailer.Unknown,
			Error: &mailer.Error{Code: mailer.CodeHeld}}, exitFailed},
		"to be decided, told": {mailer.Receipt{Outcome: mailer.Unknown, Known: true,
			Error: &mailer.Error{Code: mailer.CodeHeld}}, exitOK},
		"to be repeated": {mailer.Receipt{Outcome: mailer.Unknown,
			Error: &mailer.Error{Code: mailer.CodeNoReply, Temporary: true}}, exitTempfail},
		"to be repeated, later": {mailer.Receipt{Outcome: mailer.Unknown,
			Error: &mailer.Error{Code: mailer.CodeWaiting, Temporary: true}}, exitTempfail},
		"not recorded": {mailer.Receipt{Outcome: mailer.Unknown,
			Error: &mailer.Error{Code: mailer.CodeClaimLost, Temporary: true}}, exitTempfail},
		"not recorded, never": {mailer.Receipt{Outcome: mailer.Unknown,
			Error: &mailer.Error{Code: mailer.CodeClaimLost}}, exitFailed},
		"expired": {mailer.Receipt{Outcome: mailer.Expired,
			Error: &mailer.Error{Code: mailer.CodeExpired}}, exitFailed},
		"expired, told": {mailer.Receipt{Outcome: mailer.Expired, Known: true,
			Error: &mailer.Error{Code: mailer.CodeExpired}}, exitOK},
		"refused": {mailer.Receipt{Outcome: mailer.Failed,
			Error: &mailer.Error{Code: mailer.CodeRejected}}, exitFailed},
		"refused, told": {mailer.Receipt{Outcome: mailer.Failed, Known: true,
			Error: &mailer.Error{Code: mailer.CodeRejected}}, exitOK},
		"sent": {mailer.Receipt{Outcome: mailer.Sent}, exitOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTally()
			n.add(&c.receipt)
			assert.Equal(t, c.want, n.code(nil))
			if c.receipt.Known {
				assert.Equal(t, 1, n.known)
				assert.Empty(t, n.outcomes)
			} else {
				assert.Equal(t, 1, n.outcomes[c.receipt.Outcome])
			}
		})
	}
}

// TestNews: a run tells what it added to what earlier ones told.
func TestNews(t *testing.T) {
	t.Parallel()
	n := newTally()
	n.add(&mailer.Receipt{Outcome: mailer.Unchanged})
	n.add(&mailer.Receipt{Outcome: mailer.Unchanged, Findings: []mailer.Finding{{Rule: "past_event"}}})
	n.add(&mailer.Receipt{Outcome: mailer.Expired, Known: true, Error: &mailer.Error{Code: mailer.CodeExpired}})
	assert.Zero(t, n.news)
	n.add(&mailer.Receipt{Outcome: mailer.Unchanged, Findings: []mailer.Finding{{Rule: "missing_recipient"}}})
	n.add(&mailer.Receipt{Outcome: mailer.Sent})
	n.add(&mailer.Receipt{Outcome: mailer.Invalid, Error: &mailer.Error{Code: mailer.CodeInvalid}})
	n.add(&mailer.Receipt{Outcome: mailer.Invalid, Error: &mailer.Error{Code: mailer.CodeNoInput}})
	assert.Equal(t, 4, n.news)
	assert.Equal(t, 1, n.unread)
}

// TestLedgerCode: a lock or a full disk passes, a wrong file does not.
func TestLedgerCode(t *testing.T) {
	t.Parallel()
	assert.Equal(t, exitTempfail, ledgerCode(fmt.Errorf("open: %w", ledger.ErrBusy)))
	assert.Equal(t, exitTempfail, ledgerCode(fmt.Errorf("open: %w", context.Canceled)))
	assert.Equal(t, exitConfig, ledgerCode(fmt.Errorf("open: %w", ledger.ErrUnusable)))
	assert.Equal(t, exitConfig, ledgerCode(errors.New("anything else")))
}

// TestAPICode: what an outage did to a request is for a later run, and what a
// setting did is for a person.
func TestAPICode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want exitCode
	}{
		"the network is away": {&cronofy.Error{NotConnected: true}, exitTempfail},
		"there is no host":    {&cronofy.Error{NotConnected: true, NoHost: true}, exitConfig},
		"the API fails":       {&cronofy.Error{Status: 503}, exitTempfail},
		"too many requests":   {&cronofy.Error{Status: 429}, exitTempfail},
		"the plan":            {&cronofy.Error{Status: 402}, exitConfig},
		"the permission":      {&cronofy.Error{Status: 403}, exitConfig},
		"a busy ledger":       {ledger.ErrBusy, exitTempfail},
		"an unusable ledger":  {ledger.ErrUnusable, exitConfig},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, apiCode(fmt.Errorf("it stopped: %w", c.err)))
		})
	}
}
