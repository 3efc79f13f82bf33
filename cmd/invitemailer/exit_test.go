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
		held     int
		err      error
		want     exitCode
	}{
		"nothing":                    {want: exitOK},
		"sent, unchanged, valid":     {outcomes: counts{mailer.Sent: 1, mailer.Unchanged: 1, mailer.Valid: 1}, want: exitOK},
		"invalid":                    {outcomes: counts{mailer.Sent: 9, mailer.Invalid: 1}, want: exitData},
		"failed before invalid":      {outcomes: counts{mailer.Invalid: 9, mailer.Failed: 1}, want: exitFailed},
		"expired before invalid":     {outcomes: counts{mailer.Invalid: 9, mailer.Expired: 1}, want: exitFailed},
		"held":                       {outcomes: counts{mailer.Unknown: 2, mailer.Invalid: 1}, held: 2, want: exitFailed},
		"unknown":                    {outcomes: counts{mailer.Unknown: 2}, held: 1, want: exitTempfail},
		"deferred before failed":     {outcomes: counts{mailer.Deferred: 1, mailer.Failed: 9, mailer.Invalid: 9}, want: exitTempfail},
		"stopped":                    {outcomes: counts{mailer.Sent: 1}, err: mailer.ErrStopped, want: exitTempfail},
		"interrupted":                {err: context.Canceled, want: exitTempfail},
		"ledger busy":                {err: stopped(mailer.CodeLedgerBusy), want: exitTempfail},
		"ledger unusable":            {outcomes: counts{mailer.Deferred: 1}, err: stopped(mailer.CodeLedgerUnusable), want: exitConfig},
		"key refused":                {outcomes: counts{mailer.Deferred: 1, mailer.Failed: 1}, err: stopped(mailer.CodeUnauthorized), want: exitConfig},
		"login refused, and no pipe": {err: errors.Join(stopped(mailer.CodeSMTPConfig), errors.New("broken pipe")), want: exitConfig},
		"results not written":        {outcomes: counts{mailer.Sent: 1}, err: errors.New("broken pipe"), want: exitTempfail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := tally{outcomes: c.outcomes, held: c.held}
			assert.Equal(t, c.want, n.code(c.err))
		})
	}
}

// TestHeld: an unknown end that will not be repeated needs a person, not a
// later run.
func TestHeld(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		receipt mailer.Receipt
		hold    bool
		want    int
	}{
		"held by an earlier run":  {mailer.Receipt{Outcome: mailer.Unknown, Error: &mailer.Error{Code: mailer.CodeHeld}}, false, 1},
		"of this run, to be held": {mailer.Receipt{Outcome: mailer.Unknown, Error: &mailer.Error{Code: mailer.CodeNoReply}}, true, 1},
		"to be repeated":          {mailer.Receipt{Outcome: mailer.Unknown, Error: &mailer.Error{Code: mailer.CodeNoReply}}, false, 0},
		"sent":                    {mailer.Receipt{Outcome: mailer.Sent}, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTally()
			n.add(&c.receipt, c.hold)
			assert.Equal(t, c.want, n.held)
			assert.Equal(t, 1, n.outcomes[c.receipt.Outcome])
		})
	}
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
		"the network is away": {&cronofy.TransportError{Dial: true}, exitTempfail},
		"there is no host":    {&cronofy.TransportError{Dial: true, NoHost: true}, exitConfig},
		"the API fails":       {&cronofy.ServerError{StatusCode: 503}, exitTempfail},
		"too many requests":   {&cronofy.RateLimitError{}, exitTempfail},
		"the plan":            {&cronofy.PlanError{}, exitConfig},
		"the permission":      {&cronofy.PermissionError{}, exitConfig},
		"a busy ledger":       {ledger.ErrBusy, exitTempfail},
		"an unusable ledger":  {ledger.ErrUnusable, exitConfig},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, apiCode(fmt.Errorf("it stopped: %w", c.err)))
		})
	}
}
