package submission

import (
	"cmp"
	"errors"
	"fmt"
)

// Outcome says what is known about one submission.
type Outcome int

// The outcomes. Each is exact: Unknown is reported when, and only when, the
// message may have been accepted without its answer having arrived (RFC 1047).
const (
	NotBegun Outcome = iota // not accepted: it ended before the end of the content could leave. Safe to repeat
	Refused                 // not accepted: the server answered 4xx or 5xx, or cannot carry the message
	Accepted                // the server answered the final dot with 2xx
	Unknown                 // the final dot may have left and no clear answer came
)

// String returns "not begun", "refused", "accepted" or "unknown".
func (o Outcome) String() string {
	names := []string{"not begun", "refused", "accepted", "unknown"}
	if o < 0 || int(o) >= len(names) {
		return fmt.Sprintf("Outcome(%d)", int(o))
	}
	return names[o]
}

// Step is a part of the dialogue with the server, at which a submission ended.
type Step string

// The steps, in order.
const (
	StepInput    Step = "input"    // the envelope or the message is not fit to send
	StepDial     Step = "dial"     // waiting for a free connection, finding the host, connecting
	StepGreeting Step = "greeting" // the server's greeting, and its answer to EHLO
	StepTLS      Step = "tls"
	StepLogin    Step = "login"
	StepMail     Step = "mail"
	StepRcpt     Step = "rcpt"
	StepData     Step = "data"    // the answer to DATA
	StepContent  Step = "content" // the message itself, before its end left
	StepDot      Step = "dot"     // the end of the message, and the answer to it
)

// Result is how one submission ended.
type Result struct {
	Outcome Outcome
	Step    Step // where it ended; StepDot when accepted

	// Code is the server's last reply code; 0 without one. It is also set when a limit that
	// the server announced forbids the message.
	Code         int
	EnhancedCode string // RFC 3463, such as "5.1.1"; empty without one
	// Reply is the server's last reply on one line, "250 2.0.0 Ok: queued as X": printable
	// text, at most 300 bytes.
	Reply string

	// Temporary: a repeat of the same message makes sense. Never set with Unknown: repeating
	// that is a decision about duplicates.
	Temporary bool
	// Config: settings are the cause (login, TLS, certificate), so that every other message
	// would fail as well.
	Config bool

	Cause       Cause // what a refusal for good speaks of; empty without one
	Connection  int   // which connection of the Submitter the message went over, from 1; 0 if over none
	LoginUnused bool  // the server offers a login (RFC 4954), and none is set

	Err error // nil only when accepted; holds an *Error
}

// Error is why a submission, or a connection for it, failed. Its text holds
// no secret, and no recipient beyond the domain.
type Error struct {
	Step         Step
	Code         int    // as in Result
	EnhancedCode string // as in Result
	Reply        string // as in Result
	Cause        Cause  // as in Result
	Advice       string // what to do about it; may be empty
	// Err is the cause below, if any: context.Canceled, os.ErrDeadlineExceeded,
	// *tls.CertificateVerificationError, ...
	Err error

	summary   string // the reply as Error prints it
	unknown   bool
	permanent bool // for what did not begin: a repeat is pointless
	config    bool
	stale     bool // a kept connection was dead before a transaction began on it: only up to MAIL
	ungrouped bool // lock-step may do better: see session.group
	via       via
}

// Errors that *Error wraps.
var (
	ErrClosed       = errors.New("submitter is closed: submit the message by another one")
	ErrStopped      = errors.New("stopped before the message was begun") // see Submitter.Until
	errOutOfStep    = errors.New("server's reply is not SMTP or not an answer to the command")
	errNoSTARTTLS   = errors.New("server offers no STARTTLS")
	errNoLogin      = errors.New("server offers no usable login")
	errBadMessage   = errors.New("message cannot be sent as it is")
	errUnsupported  = errors.New("server lacks an extension that the message needs")
	errTooLarge     = errors.New("message is larger than the server takes")
	errInconclusive = errors.New("the message may have been accepted: no clear answer to its end")
)

func (e *Error) Error() string {
	text := "smtp " + string(e.Step) + ": "
	said := cmp.Or(e.summary, e.Reply)
	switch {
	case e.Err != nil && said != "":
		text += fmt.Sprintf("%v (server said %q)", e.Err, said)
	case e.Err != nil:
		text += e.Err.Error()
	default:
		text += fmt.Sprintf("server said %q", said)
	}
	if e.Advice != "" {
		text += ": " + e.Advice
	}
	return text
}

// Unwrap returns the cause below.
func (e *Error) Unwrap() error { return e.Err }

// result turns what went wrong into what it means for the message. The text of the error is
// free of the addresses of env.
func (e *Error) result(env Envelope) Result {
	told := *e // the pool may keep e, and show it to others
	told.summary = env.withoutAddresses(e.Reply)
	r := Result{Step: e.Step, Code: e.Code, EnhancedCode: e.EnhancedCode, Reply: e.Reply,
		Config: e.config, Err: &told}
	switch {
	case e.unknown:
		r.Outcome = Unknown
	case e.Code >= 400:
		r.Outcome = Refused
		r.Temporary = e.Code < 500
	default:
		r.Outcome = NotBegun
		r.Temporary = !e.permanent && !e.config
	}
	r.Connection, r.LoginUnused = e.via.number, e.via.loginUnused
	if r.Outcome == Refused {
		r.Cause = causeOf(e.Step, e.Code, e.EnhancedCode, e.Reply)
		told.Cause = r.Cause
		// Whatever the message, a server that greets with 5xx will not take it,
		// and one that answers 530 wants a login or TLS first.
		r.Config = r.Config || r.Cause != "" && (e.Step == StepGreeting || e.Code == 530)
		told.Advice = cmp.Or(e.Advice, ownCauses[r.Cause])
	}
	return r
}

// refusal is the error for a 4xx or 5xx reply.
func refusal(step Step, r reply) *Error {
	return &Error{Step: step, Code: r.code, EnhancedCode: r.enhanced, Reply: r.line()}
}

// outOfStep is the error for a reply that does not answer the command.
func outOfStep(step Step, r reply) *Error {
	return &Error{Step: step, Code: r.code, EnhancedCode: r.enhanced, Reply: r.line(), Err: errOutOfStep}
}
