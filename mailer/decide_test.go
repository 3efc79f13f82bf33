package mailer

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// TestDecide holds the whole policy of what is sent again: for every state that
// a ledger can be in, what the same content, other content and each flag lead to.
func TestDecide(t *testing.T) {
	t.Parallel()
	request := func(edit ...func(*ledger.Revision)) *ledger.Revision {
		r := &ledger.Revision{Kind: "invitation", Method: "request", Fingerprint: "same", UID: "uid", State: ledger.Sent,
			OrganizerName: "Jane", OrganizerEmail: "jane@example.com"}
		for _, e := range edit {
			e(r)
		}
		return r
	}
	state := func(s ledger.State) func(*ledger.Revision) { return func(r *ledger.Revision) { r.State = s } }
	permanent := func(r *ledger.Revision) { r.State, r.Permanent, r.Code = ledger.Failed, true, "rejected" }
	unusable := func(r *ledger.Revision) { r.State, r.Unusable = ledger.Failed, true }
	bare := func(r *ledger.Revision) { r.UID = "" }
	cancelled := func(r *ledger.Revision) { r.Method, r.Kind, r.Fingerprint = "cancel", "cancellation", "cancel" }
	byDefault := func(r *ledger.Revision) { r.OrganizerDefault = true }

	entry := func(latest, lastSent *ledger.Revision) ledger.Entry {
		return ledger.Entry{Known: true, Latest: latest, LastSent: lastSent}
	}
	same := want{method: Request, fingerprint: "same", organizer: Organizer{"Jane", "jane@example.com"}}
	other := same
	other.fingerprint = "other"
	cancel := want{method: Cancel, fingerprint: "cancel"}
	remove := want{method: Remove, fingerprint: "remove"}
	grouped := same
	grouped.grouped = true
	moved := other
	moved.organizer, moved.organizerDefault = Organizer{"John", "john@example.com"}, true

	for name, tc := range map[string]struct {
		entry   ledger.Entry
		want    want
		policy  policy
		action  action
		kind    Kind
		outcome Outcome
		code    Code
		resend  int
	}{
		"never heard of":                      {want: same, action: ask, kind: Invitation},
		"never heard of, cancel":              {want: cancel, action: ask, kind: Cancellation},
		"never heard of, remove":              {want: remove, action: ask, kind: Withdrawal},
		"forgotten":                           {entry: ledger.Entry{Known: true, Forgotten: true}, want: same, outcome: Expired, kind: None, code: CodeForgotten},
		"sent, same":                          {entry: entry(request(), request()), want: same, outcome: Unchanged, kind: None},
		"sent, same, resend":                  {entry: entry(request(), request()), want: same, policy: policy{resend: true}, action: compose, kind: Invitation, resend: 1},
		"sent, changed":                       {entry: entry(request(), request()), want: other, action: ask, kind: Update},
		"created, same":                       {entry: entry(request(state(ledger.Created)), nil), want: same, action: compose, kind: Invitation},
		"created, changed":                    {entry: entry(request(state(ledger.Created)), nil), want: other, action: ask, kind: Invitation},
		"submitting, same":                    {entry: entry(request(state(ledger.Submitting)), request()), want: same, action: repeat, kind: Invitation},
		"submitting, changed":                 {entry: entry(request(state(ledger.Submitting)), request(state(ledger.Submitting))), want: other, action: ask, kind: Update},
		"unknown, same":                       {entry: entry(request(state(ledger.Unknown)), request()), want: same, action: repeat, kind: Invitation},
		"unknown, hold":                       {entry: entry(request(state(ledger.Unknown)), request()), want: same, policy: policy{hold: true}, outcome: Unknown, kind: None, code: CodeHeld},
		"unknown, hold, resend":               {entry: entry(request(state(ledger.Unknown)), request()), want: same, policy: policy{hold: true, resend: true}, action: repeat, kind: Invitation},
		"deferred with a calendar":            {entry: entry(request(state(ledger.Deferred)), nil), want: same, action: compose, kind: Invitation},
		"deferred without one":                {entry: entry(request(state(ledger.Deferred), bare), nil), want: same, action: ask, kind: Invitation},
		"expired before, asked again":         {entry: entry(request(state(ledger.Expired)), nil), want: same, action: compose, kind: Invitation},
		"failed for that run":                 {entry: entry(request(state(ledger.Failed)), nil), want: same, action: compose, kind: Invitation},
		"failed, calendar unusable":           {entry: entry(request(unusable), nil), want: same, action: ask, kind: Invitation},
		"update failed, calendar unusable":    {entry: entry(request(unusable), request()), want: same, action: ask, kind: Update},
		"failed for good, same":               {entry: entry(request(permanent), nil), want: same, outcome: Failed, kind: None, code: CodeRejected},
		"failed for good, same, retry":        {entry: entry(request(permanent), nil), want: same, policy: policy{retryFailed: true}, action: compose, kind: Invitation},
		"failed for good, other content":      {entry: entry(request(permanent), nil), want: other, action: ask, kind: Invitation},
		"422 before, retry":                   {entry: entry(request(permanent, bare), nil), want: same, policy: policy{retryFailed: true}, action: ask, kind: Invitation},
		"cancel what was sent":                {entry: entry(request(), request()), want: cancel, action: ask, kind: Cancellation},
		"cancel what may have left":           {entry: entry(request(state(ledger.Unknown)), request(state(ledger.Unknown))), want: cancel, action: ask, kind: Cancellation},
		"cancel what never left":              {entry: entry(request(state(ledger.Failed)), nil), want: cancel, action: tell, kind: None},
		"cancelled already":                   {entry: entry(request(cancelled), request(cancelled)), want: cancel, outcome: Unchanged, kind: None},
		"cancellation that mailed nobody":     {entry: entry(request(cancelled, state(ledger.Settled)), nil), want: cancel, outcome: Unchanged, kind: None},
		"cancel again after a withdrawal":     {entry: entry(request(cancelled), request(cancelled)), want: remove, outcome: Unchanged, kind: None},
		"cancellation deferred":               {entry: entry(request(cancelled, state(ledger.Deferred)), request()), want: cancel, action: compose, kind: Cancellation},
		"cancellation deferred at the API":    {entry: entry(request(cancelled, state(ledger.Deferred), bare), request()), want: cancel, action: ask, kind: Cancellation},
		"invite anew after the cancellation":  {entry: entry(request(cancelled), request(cancelled)), want: same, action: ask, kind: Invitation},
		"recipients after recipient":          {entry: entry(request(), request()), want: grouped, outcome: Invalid, kind: None, code: CodeFormChanged},
		"default organizer changed":           {entry: entry(request(byDefault), request(byDefault)), want: moved, outcome: Failed, kind: None, code: CodeOrganizerChanged},
		"default organizer changed, accepted": {entry: entry(request(byDefault), request(byDefault)), want: moved, policy: policy{acceptOrganizer: true}, action: ask, kind: Update},
		"default organizer, never sent":       {entry: entry(request(byDefault, state(ledger.Deferred)), nil), want: moved, action: ask, kind: Invitation},
		"named organizer before, default now": {entry: entry(request(), request()), want: moved, action: ask, kind: Update},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := decide(tc.entry, tc.want, tc.policy)
			assert.Equal(t, tc.action, got.action, "action")
			assert.Equal(t, tc.kind, got.kind, "kind")
			assert.Equal(t, tc.outcome, got.outcome, "outcome")
			assert.Equal(t, tc.resend, got.resend, "resend")
			if tc.code == "" {
				assert.Nil(t, got.err)
			} else if assert.NotNil(t, got.err) {
				assert.Equal(t, tc.code, got.err.Code)
			}
		})
	}
}
