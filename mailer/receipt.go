package mailer

import (
	"slices"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/lint"
)

// Outcome is how one invite ended in one run.
type Outcome string

// The outcomes.
const (
	Sent      Outcome = "sent"      // the SMTP server took the mail; it says nothing of who read it
	Unchanged Outcome = "unchanged" // nothing to do; the receipt repeats what is on record
	Invalid   Outcome = "invalid"   // the input is wrong; nothing was asked of anyone
	// Expired: the event ended before its mail could leave. What was sent and did not change since
	// stays Unchanged.
	Expired Outcome = "expired"
	Failed  Outcome = "failed" // refused; Error.Permanent tells whether that is remembered
	// Deferred: a temporary failure, or the run stopped first. Nothing left; the same input again
	// sends it.
	Deferred Outcome = "deferred"
	// Unknown: the content may have left and no answer came (RFC 1047), or it could not be
	// recorded. See Config.OnUnknown.
	Unknown Outcome = "unknown"
	Valid   Outcome = "valid" // a dry run only; Kind says what would be sent
)

// Receipt is what is known of one invite at the end of a call, as far as things came.
type Receipt struct {
	InviteID  string  `json:"smart_invite_id"`
	Recipient string  `json:"recipient"`
	Method    Method  `json:"method"`
	Kind      Kind    `json:"kind"`
	Outcome   Outcome `json:"outcome"`
	// Known: an earlier run told it. Of Expired, Failed and Unknown that the ledger had on record.
	Known     bool      `json:"known,omitempty"`
	UID       string    `json:"uid,omitempty"`
	Sequence  *int      `json:"sequence,omitempty"` // nil before a calendar came
	MessageID string    `json:"message_id,omitempty"`
	Reply     string    `json:"smtp_reply,omitempty"` // the SMTP server's last
	Attempts  int       `json:"attempts"`             // submissions begun, over all runs
	At        time.Time `json:"at"`
	Findings  []Finding `json:"findings,omitempty"`
	// Error is nil for Sent, Unchanged and Valid only.
	Error *Error `json:"error,omitempty"`
}

// Finding is something worth knowing about an invite, or a rule that the mail breaks.
type Finding struct {
	Rule    string     `json:"rule"` // a stable word, or IM01 to IM80
	Level   lint.Level `json:"level"`
	Field   string     `json:"field,omitempty"`
	Message string     `json:"message"`
}

// Again tells whether the same invite, given again, may end better without a change: at once, or
// after Error.RetryAfter. Otherwise it is done (Sent, Unchanged, Valid), or something has to change
// first: the invite (Invalid, Failed, Expired) or the settings (Deferred), or a person has to decide
// (Unknown).
func (r *Receipt) Again() bool {
	e := r.Error
	switch r.Outcome {
	case Deferred:
		return e == nil || e.Temporary || !e.StopsRun && e.Code != CodeSMTPConfig
	case Unknown:
		return e == nil || e.Temporary
	default:
		return false
	}
}

// retry tells whether another try in the same run makes sense, and the wait that a server asked for.
func (r *Receipt) retry() (again bool, wait time.Duration) {
	e := r.Error
	if e == nil || r.Outcome != Deferred || !e.Temporary || e.StopsRun {
		return false, 0
	}
	switch e.Code {
	case CodeInProgress, CodeClaimLost, CodeMaxMails, CodeNotBegun, codeCancelled:
		return false, 0 // not for this run
	}
	return true, e.RetryAfter
}

// Recorded is the receipt of what is on record, in the terms of a run with the same input: what a
// crash left behind is Deferred if its mail had not begun to leave, and Unknown if it had. What was
// done without a mail is Unchanged.
func Recorded(e *ledger.Entry) Receipt {
	r := Receipt{InviteID: e.Key.InviteID, Recipient: e.Recipient}
	rev := e.Latest
	if rev == nil {
		return r
	}
	r.Method, r.Kind, r.Outcome, r.At = rev.Method, rev.Kind, Outcome(rev.State), rev.At
	r.repeat(rev)
	const stands = "a run has it in hand, or ended before; run again"
	switch rev.State {
	case ledger.Sent:
	case ledger.Settled:
		r.Outcome = Unchanged
	case ledger.Created:
		r.Outcome = Deferred
		r.Error = &Error{Stage: StageSubmit, Code: CodeNotBegun, Temporary: true,
			Message: "the calendar is on record and its mail has not begun to leave: " + stands}
	case ledger.Submitting:
		r.Outcome = Unknown
		r.Error = &Error{Stage: StageSubmit, Code: CodeNoReply, Temporary: true,
			Message: "the mail may have left and its outcome is not on record: " + stands}
	default:
		r.Error = &Error{Stage: rev.Stage, Code: rev.Code, Message: rev.Detail, Permanent: rev.Permanent,
			Temporary: rev.State == ledger.Deferred || rev.State == ledger.Unknown && rev.Code != CodeHeld}
	}
	return r
}

// repeat fills in what is on record.
func (r *Receipt) repeat(rev *ledger.Revision) {
	r.UID, r.MessageID, r.Reply, r.Attempts = rev.UID, rev.MessageID, rev.Reply, rev.Attempts
	if rev.UID != "" {
		r.Sequence = &rev.Sequence
	}
}

// addFinding adds a finding of a rule once.
func (r *Receipt) addFinding(f Finding) {
	if !slices.ContainsFunc(r.Findings, func(have Finding) bool { return have.Rule == f.Rule }) {
		r.Findings = append(slices.Clip(r.Findings), f) // the receipts of a group may share the slice
	}
}
