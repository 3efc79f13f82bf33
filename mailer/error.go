package mailer

import (
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Stage is the part of an invite's way at which it ended.
type Stage = ledger.Stage

// The stages, in their order.
const (
	StageRead     Stage = "read"     // the record itself
	StagePolicy   Stage = "policy"   // who may be mailed, and by whom
	StageLedger   Stage = "ledger"   // the durable record
	StageCreate   Stage = "create"   // the request to the API
	StageCalendar Stage = "calendar" // what came back
	StageRender   Stage = "render"   // subject, text and HTML
	StageCompose  Stage = "compose"  // the message
	StageCheck    Stage = "check"    // the invitation rules
	StageSubmit   Stage = "submit"   // SMTP
)

// Error says why an invite was not sent.
type Error struct {
	Stage Stage `json:"stage"`
	// Code is a stable word for programs: see the Code constants.
	Code Code `json:"code"`
	// Field names the part of the input that is wrong, such as "recipient.email"; may be empty.
	Field string `json:"field,omitempty"`
	// Message says what happened, to what, and what to do about it.
	Message string `json:"message"`
	// Temporary: the same invite may succeed later without a change.
	Temporary bool `json:"-"`
	// Permanent: remembered as refused; repeated only on request or with other content. Neither
	// Temporary nor Permanent is a failure for this run. A refusal without a clear reason is
	// remembered all the same once SendAll has ended, if another mail of the same sender was
	// accepted later.
	Permanent bool `json:"-"`
	// StopsRun: every other invite would end the same way (a refused key or login, no TLS, an
	// unusable ledger); stop and fix the configuration.
	StopsRun bool `json:"-"`
	// RetryAfter is how long a server asked to be left alone or, with CodeWaiting, how long nothing
	// is repeated.
	RetryAfter time.Duration `json:"-"`
	// Err is the cause, if there is one.
	Err error `json:"-"`

	unusable bool // the calendar on record must not be used again
}

// Code is the reason of an [Error] as a stable word for programs.
type Code = ledger.Code

// The codes that a program may decide by. There are others, for people, and more may be added.
const (
	CodeInvalid          Code = "invalid"   // a field is missing or wrong
	CodeNoInput          Code = "no_input"  // a file of which nothing, or not all, could be read
	CodeDuplicate        Code = "duplicate" // the same invite twice, with different content
	CodeExpired          Code = "expired"
	CodeInProgress       Code = "in_progress" // another run has it in hand
	CodeClaimLost        Code = "claim_lost"
	CodeLedgerUnusable   Code = "ledger_unusable"
	CodeLedgerBusy       Code = "ledger_busy"
	CodeHeld             Code = "held"    // unknown, and not to be repeated until a person decides
	CodeWaiting          Code = "waiting" // unknown, and not to be repeated yet
	CodeOrganizerChanged Code = "organizer_changed"
	CodeFormChanged      Code = "form_changed" // recipient and recipients under one id
	CodeUnauthorized     Code = "unauthorized" // 401
	CodeRejected         Code = "rejected"     // 422
	CodeUnreachable      Code = "unreachable"  // the host of the API's URL does not exist
	CodeSMTPConfig       Code = "smtp_config"  // no TLS; refused login, sender, relaying or machine
	CodeSMTPTemporary    Code = "smtp_temporary"
	CodeSMTPRefused      Code = "smtp_refused"
	CodeNoReply          Code = "no_reply"  // the content may have left
	CodeNotBegun         Code = "not_begun" // the run stopped first
	CodeMaxMails         Code = "max_mails" // the run's limit of mails is reached
)

const (
	codeNotAllowed     Code = "recipient_not_allowed" // Config.OnlyTo
	codeUnknownThisRun Code = "unknown_this_run"
	codeForgotten      Code = "forgotten"
	codePlan           Code = "plan"         // 402
	codeForbidden      Code = "forbidden"    // 403
	codeNotFound       Code = "not_found"    // 404
	codeRateLimited    Code = "rate_limited" // 429
	codeServer         Code = "server_error" // 5xx and the unexpected
	codeTransport      Code = "transport"    // no usable answer
	codeNoCalendar     Code = "no_calendar"
	codeUnreadable     Code = "unreadable_calendar"
	codeWrongMethod    Code = "wrong_method"
	codeWrongRecipient Code = "wrong_recipient"
	codeNoUID          Code = "no_uid"
	codeStale          Code = "stale_calendar" // SEQUENCE or DTSTAMP went back
	codeUIDChanged     Code = "uid_changed"
	codeTemplate       Code = "template"
	codeCompose        Code = "compose"
	codeComposedWrong  Code = "composed_wrong" // an invitation rule, by the mail
	codeCalendarWrong  Code = "calendar_wrong" // an invitation rule, by what the API returned
	codeCancelled      Code = "interrupted"    // the context ended
)

func (e *Error) Error() string {
	place := string(e.Stage) + ": "
	if e.Field != "" {
		place += e.Field + ": "
	}
	return place + e.Message
}

func (e *Error) Unwrap() error { return e.Err }
