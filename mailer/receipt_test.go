package mailer_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

func TestAgain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		outcome mailer.Outcome
		err     *mailer.Error
		want    bool
	}{
		"sent":              {outcome: mailer.Sent},
		"unchanged":         {outcome: mailer.Unchanged},
		"invalid":           {outcome: mailer.Invalid, err: &mailer.Error{Code: mailer.CodeInvalid}},
		"refused":           {outcome: mailer.Failed, err: &mailer.Error{Code: mailer.CodeSMTPRefused}},
		"later":             {outcome: mailer.Deferred, err: &mailer.Error{Code: mailer.CodeSMTPTemporary, Temporary: true}, want: true},
		"not begun":         {outcome: mailer.Deferred, err: &mailer.Error{Code: mailer.CodeNotBegun, Temporary: true}, want: true},
		"a refused key":     {outcome: mailer.Deferred, err: &mailer.Error{Code: mailer.CodeUnauthorized, StopsRun: true}},
		"a refused sender":  {outcome: mailer.Deferred, err: &mailer.Error{Code: mailer.CodeSMTPConfig}},
		"a busy ledger":     {outcome: mailer.Deferred, err: &mailer.Error{Code: mailer.CodeLedgerBusy, Temporary: true, StopsRun: true}, want: true},
		"no answer":         {outcome: mailer.Unknown, err: &mailer.Error{Code: mailer.CodeNoReply, Temporary: true}, want: true},
		"a person's choice": {outcome: mailer.Unknown, err: &mailer.Error{Code: mailer.CodeHeld}},
	} {
		r := mailer.Receipt{Outcome: tc.outcome, Error: tc.err}
		assert.Equal(t, tc.want, r.Again(), name)
	}
}

func TestRecorded(t *testing.T) {
	t.Parallel()
	for state, tc := range map[ledger.State]struct {
		outcome mailer.Outcome
		again   bool
	}{
		ledger.Created:    {mailer.Deferred, true},
		ledger.Submitting: {mailer.Unknown, true},
		ledger.Sent:       {mailer.Sent, false},
		ledger.Settled:    {mailer.Unchanged, false},
		ledger.Deferred:   {mailer.Deferred, true},
		ledger.Failed:     {mailer.Failed, false},
		ledger.Expired:    {mailer.Expired, false},
		ledger.Unknown:    {mailer.Unknown, true},
	} {
		r := mailer.Recorded(&ledger.Entry{Latest: &ledger.Revision{State: state, UID: "uid", Sequence: 3, Detail: "why"}})
		assert.Equal(t, tc.outcome, r.Outcome, state)
		assert.Equal(t, tc.again, r.Again(), state)
		assert.Equal(t, 3, *r.Sequence)
	}
	assert.Empty(t, mailer.Recorded(&ledger.Entry{}).Outcome)
}
