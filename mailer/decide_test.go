package mailer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// TestDecide holds the whole policy of what is sent again: for every state that
// a ledger can be in, what the same content, other content and each flag lead to.
func TestDecide(t *testing.T) {
	t.Parallel()
	request := func(edit ...func(*ledger.Revision)) *ledger.Revision {
		r := &ledger.Revision{Kind: "invitation", Method: "request", Fingerprint: "same", UID: "uid",
			State:         ledger.Sent,
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
	fingerprint := func(text string) func(*ledger.Revision) {
		return func(r *ledger.Revision) { r.Fingerprint = text }
	}
	cancelled := func(r *ledger.Revision) { r.Method, r.Kind, r.Fingerprint = "cancel", "cancellation", "cancel" }
	now := time.Date(2027, 4, 1, 12, 0, 0, 0, time.UTC)
	doubt := func(s ledger.State, copies int, ago time.Duration) *ledger.Revision {
		return request(state(s), func(r *ledger.Revision) { r.Copies, r.FirstSubmittedAt = copies, now.Add(-ago) })
	}
	told := func(r *ledger.Revision) *ledger.Revision { r.Code = "held"; return r }
	unknown := func(copies int, ago time.Duration) ledger.Entry {
		r := doubt(ledger.Unknown, copies, ago)
		return ledger.Entry{Known: true, Latest: r, LastSent: r}
	}
	byDefault := func(r *ledger.Revision) { r.OrganizerDefault = true }

	entry := func(latest, lastSent *ledger.Revision) ledger.Entry {
		return ledger.Entry{Known: true, Latest: latest, LastSent: lastSent}
	}
	want := func(method Method, fingerprint string) ledger.NewRevision {
		return ledger.NewRevision{Revision: ledger.Revision{Method: method, Fingerprint: fingerprint,
			OrganizerName: "Jane", OrganizerEmail: "jane@example.com"}}
	}
	same := want(Request, "same")
	other := same
	other.Revision.Fingerprint = "other"
	cancel := want(Cancel, "cancel")
	remove := want(Remove, "remove")
	grouped := same
	grouped.Grouped = true
	past, changedPast, notYet := same, other, same
	past.EndsAt, changedPast.EndsAt, notYet.EndsAt = now, now, now.Add(time.Second)
	cancelPast := cancel
	cancelPast.EndsAt = now
	ended := func(e ledger.Entry) ledger.Entry { e.EndsAt = now; return e }
	moved := other
	moved.Revision.OrganizerName, moved.Revision.OrganizerEmail = "John", "john@example.com"
	moved.Revision.OrganizerDefault = true

	for name, tc := range map[string]struct {
		entry   ledger.Entry
		want    ledger.NewRevision
		config  Config
		action  action
		kind    Kind
		outcome Outcome
		code    Code
		resend  int
		known   bool
	}{
		"never heard of":         {want: same, action: createAndMail, kind: Invitation},
		"never heard of, cancel": {want: cancel, action: createAndMail, kind: Cancellation},
		"never heard of, remove": {want: remove, action: createAndMail, kind: Withdrawal},
		"forgotten": {entry: ledger.Entry{Known: true, Forgotten: true}, want: same,
			outcome: Expired, kind: None, code: codeForgotten},
		"forgotten, in an old file": {entry: ledger.Entry{Known: true, Forgotten: true}, want: past,
			outcome: Expired, kind: None, code: codeForgotten, known: true},
		"forgotten, moved into the future": {entry: ledger.Entry{Known: true, Forgotten: true}, want: notYet,
			outcome: Expired, kind: None, code: codeForgotten},
		"forgotten, to be cancelled": {entry: ledger.Entry{Known: true, Forgotten: true}, want: cancel,
			outcome: Expired, kind: None, code: codeForgotten, known: true},
		"sent, same": {entry: entry(request(), request()), want: same,
			outcome: Unchanged, kind: None},
		"sent, same, resend": {entry: entry(request(), request()), want: same,
			config: Config{Resend: true}, action: mailStored, kind: Invitation, resend: 1},
		"sent, changed": {entry: entry(request(), request()), want: other,
			action: createAndMail, kind: Update},
		"created, same": {entry: entry(request(state(ledger.Created)), nil), want: same,
			action: mailStored, kind: Invitation},
		"created, changed": {entry: entry(request(state(ledger.Created)), nil), want: other,
			action: createAndMail, kind: Invitation},
		"submitting, same, at once": {entry: entry(doubt(ledger.Submitting, 1, 20*time.Minute-1),
			request()), want: same, action: recordOnly, kind: Invitation, outcome: Unknown, code: CodeWaiting},
		"submitting, same, later": {entry: entry(doubt(ledger.Submitting, 1, 20*time.Minute),
			request()), want: same, action: resubmit, kind: Invitation},
		"submitting a third time, same": {entry: entry(doubt(ledger.Submitting, 3, 20*time.Hour),
			request()), want: same, action: recordOnly, kind: Invitation, outcome: Unknown, code: CodeHeld},
		"submitting, same, never": {entry: entry(doubt(ledger.Submitting, 1, 20*time.Hour),
			request()), want: same, config: Config{OnUnknown: OnUnknownNever}, action: recordOnly,
			kind: Invitation, outcome: Unknown, code: CodeHeld},
		"unknown, same, at once": {entry: unknown(1, 20*time.Minute-1), want: same,
			outcome: Unknown, kind: None, code: CodeWaiting},
		"unknown, same, later": {entry: unknown(1, 20*time.Minute), want: same, action: resubmit,
			kind: Invitation},
		"unknown twice, same, at once": {entry: unknown(2, 60*time.Minute-1), want: same,
			outcome: Unknown, kind: None, code: CodeWaiting},
		"unknown twice, same, later": {entry: unknown(2, 60*time.Minute), want: same, action: resubmit,
			kind: Invitation},
		"unknown three times, same": {entry: unknown(3, 60*time.Hour), want: same, action: recordOnly,
			kind: Invitation, outcome: Unknown, code: CodeHeld},
		"unknown three times, told": {entry: entry(told(doubt(ledger.Unknown, 3, time.Hour)),
			request()), want: same, outcome: Unknown, kind: None, code: CodeHeld, known: true},
		"unknown three times, resend": {entry: unknown(3, 0), want: same,
			config: Config{OnUnknown: OnUnknownResend}, action: resubmit, kind: Invitation},
		"unknown, never": {entry: unknown(1, 60*time.Hour), want: same,
			config: Config{OnUnknown: OnUnknownNever}, action: recordOnly, kind: Invitation, outcome: Unknown,
			code: CodeHeld},
		"unknown, never, told": {entry: entry(told(doubt(ledger.Unknown, 1, 0)), request()),
			want: same, config: Config{OnUnknown: OnUnknownNever}, outcome: Unknown, kind: None, code: CodeHeld,
			known: true},
		"unknown, told, but may be repeated": {entry: entry(told(doubt(ledger.Unknown, 1, time.Hour)),
			request()), want: same, action: resubmit, kind: Invitation},
		"unknown, told, not yet": {entry: entry(told(doubt(ledger.Unknown, 1, 0)), request()),
			want: same, outcome: Unknown, kind: None, code: CodeWaiting},
		"unknown, never, mail again": {entry: unknown(3, 0), want: same,
			config: Config{OnUnknown: OnUnknownNever, Resend: true}, action: resubmit, kind: Invitation},
		"unknown, over": {entry: unknown(1, 0), want: past, action: recordOnly,
			kind: Invitation, outcome: Unknown, code: CodeHeld},
		"unknown, over by the record": {entry: ended(unknown(1, time.Hour)), want: same,
			action: recordOnly, kind: Invitation, outcome: Unknown, code: CodeHeld},
		"unknown, cancelled when over": {entry: unknown(1, time.Hour), want: cancelPast,
			action: createAndMail, kind: Cancellation},
		"over, never heard of": {want: past, action: recordOnly, kind: Invitation,
			outcome: Expired, code: CodeExpired},
		"over, allowed": {want: past, config: Config{AllowPast: true},
			action: createAndMail, kind: Invitation},
		"not over yet": {want: notYet, action: createAndMail, kind: Invitation},
		"over, sent": {entry: ended(entry(request(), request())), want: past,
			outcome: Unchanged, kind: None},
		"over, sent, resend": {entry: entry(request(), request()), want: past,
			config: Config{Resend: true}, outcome: Expired, kind: None, code: CodeExpired},
		"over, sent, changed": {entry: entry(request(), request()), want: changedPast,
			action: recordOnly, kind: Update, outcome: Expired, code: CodeExpired},
		"over, sent, moved into the future": {entry: ended(entry(request(), request())), want: other,
			action: createAndMail, kind: Update},
		"too late, taken back": {entry: entry(request(state(ledger.Expired), bare,
			fingerprint("other")), request()), want: same, outcome: Unchanged, kind: None},
		"too late, taken back, resend": {entry: entry(request(state(ledger.Expired), bare,
			fingerprint("other")), request()), want: same, config: Config{Resend: true}, action: createAndMail,
			kind: Update},
		"too late, taken back, but asked for": {entry: entry(request(state(ledger.Expired),
			fingerprint("other")), request()), want: same, action: createAndMail, kind: Update},
		"over, deferred": {entry: entry(request(state(ledger.Deferred)), nil), want: past,
			action: recordOnly, kind: Invitation, outcome: Expired, code: CodeExpired},
		"over by the record, deferred": {entry: ended(entry(request(state(ledger.Deferred)), nil)),
			want: same, action: recordOnly, kind: Invitation, outcome: Expired, code: CodeExpired},
		"over, told": {entry: entry(request(state(ledger.Expired)), nil), want: past,
			outcome: Expired, kind: None, code: CodeExpired, known: true},
		"over, told, changed": {entry: entry(request(state(ledger.Expired)), nil),
			want: changedPast, action: recordOnly, kind: Invitation, outcome: Expired, code: CodeExpired},
		"over, told, change taken back": {entry: entry(request(state(ledger.Expired), bare,
			func(r *ledger.Revision) { r.Fingerprint = "other" }), request()), want: past, outcome: Unchanged,
			kind: None},
		"over, told of what was asked for": {entry: entry(request(state(ledger.Expired),
			func(r *ledger.Revision) { r.Fingerprint = "other" }), request()), want: past, action: recordOnly,
			kind: Update, outcome: Expired, code: CodeExpired},
		"over, told, allowed": {entry: entry(request(state(ledger.Expired), bare), nil),
			want: past, config: Config{AllowPast: true}, action: createAndMail, kind: Invitation},
		"over, refused": {entry: entry(request(permanent), nil), want: past,
			outcome: Failed, kind: None, code: CodeRejected, known: true},
		"over, cancel": {entry: entry(request(), request()), want: cancelPast,
			action: createAndMail, kind: Cancellation},
		"submitting, changed": {entry: entry(request(state(ledger.Submitting)),
			request(state(ledger.Submitting))), want: other, action: createAndMail, kind: Update},
		"deferred with a calendar": {entry: entry(request(state(ledger.Deferred)), nil), want: same,
			action: mailStored, kind: Invitation},
		"deferred without one": {entry: entry(request(state(ledger.Deferred), bare), nil),
			want: same, action: createAndMail, kind: Invitation},
		"expired before, asked again": {entry: entry(request(state(ledger.Expired)), nil), want: same,
			action: mailStored, kind: Invitation},
		"failed for that run": {entry: entry(request(state(ledger.Failed)), nil), want: same,
			action: mailStored, kind: Invitation},
		"failed, calendar unusable": {entry: entry(request(unusable), nil), want: same,
			action: createAndMail, kind: Invitation},
		"update failed, calendar unusable": {entry: entry(request(unusable), request()), want: same,
			action: createAndMail, kind: Update},
		"failed for good, same": {entry: entry(request(permanent), nil), want: same,
			outcome: Failed, kind: None, code: CodeRejected, known: true},
		"failed for good, same, retry": {entry: entry(request(permanent), nil), want: same,
			config: Config{RetryFailed: true}, action: mailStored, kind: Invitation},
		"failed for good, other content": {entry: entry(request(permanent), nil), want: other,
			action: createAndMail, kind: Invitation},
		"422 before, retry": {entry: entry(request(permanent, bare), nil), want: same,
			config: Config{RetryFailed: true}, action: createAndMail, kind: Invitation},
		"cancel what was sent": {entry: entry(request(), request()), want: cancel,
			action: createAndMail, kind: Cancellation},
		"cancel what may have left": {entry: entry(request(state(ledger.Unknown)),
			request(state(ledger.Unknown))), want: cancel, action: createAndMail, kind: Cancellation},
		"cancel what never left": {entry: entry(request(state(ledger.Failed)), nil), want: cancel,
			action: createOnly, kind: None},
		"cancelled already": {entry: entry(request(cancelled), request(cancelled)),
			want: cancel, outcome: Unchanged, kind: None},
		"cancellation that mailed nobody": {entry: entry(request(cancelled, state(ledger.Settled)), nil),
			want: cancel, outcome: Unchanged, kind: None},
		"cancel again after a withdrawal": {entry: entry(request(cancelled), request(cancelled)),
			want: remove, outcome: Unchanged, kind: None},
		"cancellation deferred": {entry: entry(request(cancelled, state(ledger.Deferred)),
			request()), want: cancel, action: mailStored, kind: Cancellation},
		"cancellation deferred at the API": {entry: entry(request(cancelled, state(ledger.Deferred), bare),
			request()), want: cancel, action: createAndMail, kind: Cancellation},
		"never invited, cancel deferred": {entry: entry(request(cancelled, state(ledger.Deferred), bare),
			nil), want: cancel, action: createAndMail, kind: Cancellation},
		"never invited, told without success": {entry: entry(request(cancelled, state(ledger.Deferred), bare,
			func(r *ledger.Revision) { r.Kind = "none" }), nil), want: cancel, action: createOnly, kind: None},
		"invite anew after the cancellation": {entry: entry(request(cancelled), request(cancelled)),
			want: same, action: createAndMail, kind: Invitation},
		"recipients after recipient": {entry: entry(request(), request()), want: grouped,
			outcome: Invalid, kind: None, code: CodeFormChanged},
		"default organizer changed": {entry: entry(request(byDefault), request(byDefault)),
			want: moved, outcome: Failed, kind: None, code: CodeOrganizerChanged},
		"default organizer changed, accepted": {entry: entry(request(byDefault), request(byDefault)),
			want: moved, config: Config{AcceptOrganizer: true}, action: createAndMail, kind: Update},
		"default organizer, never sent": {entry: entry(request(byDefault, state(ledger.Deferred)), nil),
			want: moved, action: createAndMail, kind: Invitation},
		"named organizer before, default now": {entry: entry(request(), request()), want: moved,
			action: createAndMail, kind: Update},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := decide(tc.entry, tc.want, policy{&tc.config, now})
			assert.Equal(t, tc.known, got.known, "known")
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
