package mailer

import "time"

// Outcome is how one invite ended in one run.
type Outcome string

// The outcomes.
const (
	// Sent: the SMTP server took the mail. It says nothing of who read it.
	Sent Outcome = "sent"
	// Unchanged: nothing to do; the receipt repeats what is on record.
	Unchanged Outcome = "unchanged"
	// Invalid: the input is wrong; nothing was asked of anyone.
	Invalid Outcome = "invalid"
	// Expired: the event ended before its mail could leave. What was sent, and did
	// not change since, stays Unchanged when its event is over.
	Expired Outcome = "expired"
	// Failed: refused. Error.Permanent tells whether that is remembered.
	Failed Outcome = "failed"
	// Deferred: a temporary failure, or the run stopped first. Nothing left;
	// the same input again sends it.
	Deferred Outcome = "deferred"
	// Unknown: the content may have left and no answer came (RFC 1047), or came and
	// could not be recorded. See Config.OnUnknown.
	Unknown Outcome = "unknown"
	// Valid: a dry run only; Kind says what would be sent.
	Valid Outcome = "valid"
)

// Receipt is what is known of one invite at the end of a call. It is always
// filled as far as things came.
type Receipt struct {
	InviteID  string  `json:"smart_invite_id"`
	Recipient string  `json:"recipient"`
	Method    Method  `json:"method"`
	Kind      Kind    `json:"kind"`
	Outcome   Outcome `json:"outcome"`
	// Known: the receipt repeats what the ledger had on record already, so an
	// earlier run told it. Of Expired, Failed and Unknown; the first run that comes
	// to such an end has it unset.
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

// Level is how much a finding matters.
type Level string

// The levels of a finding.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
)

// Finding is something worth knowing about an invite that did not decide its
// outcome, or a rule that the mail breaks.
type Finding struct {
	Rule    string `json:"rule"`  // a stable word, or IM01 to IM80
	Level   Level  `json:"level"` //
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}
