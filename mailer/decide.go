package mailer

import (
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// want is what an invite asks for, in terms that a ledger can compare.
type want struct {
	method           Method
	fingerprint      string
	grouped          bool
	organizer        Organizer
	organizerDefault bool // the settings named it, not the caller
}

// policy is how the caller wants the unclear cases to be decided.
type policy struct {
	resend          bool // mail again what is sent already
	retryFailed     bool // try again what was refused for good
	hold            bool // never repeat an unknown one
	acceptOrganizer bool // a changed default organizer changes every invite
}

// action is what has to be done for one recipient of an invite.
type action int

const (
	// nothing: what is asked for is done, or must not be done (see step.err).
	nothing action = iota
	// ask: ask the API, then mail the calendar that comes back.
	ask
	// tell: ask the API, mail nobody: no invitation ever left.
	tell
	// compose: mail the calendar on record.
	compose
	// repeat: submit the very bytes on record again.
	repeat
)

// step is the decision for one recipient.
type step struct {
	action action
	kind   Kind
	resend int
	err    *Error // why nothing is done, unless it is done already
	// outcome is the receipt's when action is nothing.
	outcome Outcome
}

func refuse(o Outcome, e *Error) step {
	return step{kind: None, outcome: o, err: e}
}

// decide says what the record e asks of a caller that wants w. It is a pure
// function: the whole policy of what is sent again stands here.
func decide(e ledger.Entry, w want, p policy) step {
	if e.Forgotten {
		return refuse(Expired, &Error{Stage: StageLedger, Code: CodeForgotten,
			Message: "this invite is past and was removed from the ledger; give the event another id to invite anew"})
	}
	if e.Latest == nil {
		return first(w)
	}
	if e.Grouped != w.grouped && w.method != Remove {
		return refuse(Invalid, &Error{Stage: StageLedger, Code: CodeFormChanged, Field: formField(w.grouped), Permanent: true,
			Message: "this id was used with " + formField(!w.grouped) + " before; keep to one form, or give the event another id"})
	}
	if w.organizerDefault && e.Latest.OrganizerDefault && !p.acceptOrganizer && w.method == Request &&
		(w.organizer.Email != e.Latest.OrganizerEmail || w.organizer.Name != e.Latest.OrganizerName) && e.LastSent != nil {
		return refuse(Failed, &Error{Stage: StageLedger, Code: CodeOrganizerChanged, Field: "organizer",
			Message: "the default organizer changed since this invite was sent, which would mail everybody an update; set ORGANIZER_NAME and ORGANIZER_EMAIL back, name the organizer in the record, or use --accept-organizer-change"})
	}
	if same := e.Latest.Fingerprint == w.fingerprint && e.Latest.Method == string(w.method); !same {
		return anew(e, w)
	}
	return again(e, w, p)
}

// first decides for an invite that was never heard of. A cancellation of it is
// told to the API and mailed: another program may have sent the invitation.
func first(w want) step {
	switch w.method {
	case Cancel:
		return step{action: ask, kind: Cancellation}
	case Remove:
		return step{action: ask, kind: Withdrawal}
	}
	return step{action: ask, kind: Invitation}
}

// anew decides for content that is not on record yet.
func anew(e ledger.Entry, w want) step {
	invited := e.LastSent != nil && e.LastSent.Method == string(Request)
	switch {
	case w.method == Request && invited:
		return step{action: ask, kind: Update}
	case w.method == Request:
		return step{action: ask, kind: Invitation}
	case !invited && e.LastSent != nil:
		// Its cancellation or withdrawal left already, by either name.
		return step{kind: None, outcome: Unchanged}
	case !invited:
		return step{action: tell, kind: None}
	}
	return first(w)
}

// again decides for content that is on record, by how that ended.
func again(e ledger.Entry, w want, p policy) step {
	r := e.Latest
	kind := Kind(r.Kind)
	switch r.State {
	case ledger.Sent:
		if p.resend {
			return step{action: compose, kind: kind, resend: r.Resend + 1}
		}
		return step{kind: None, outcome: Unchanged}
	case ledger.Settled:
		return step{kind: None, outcome: Unchanged}
	case ledger.Submitting, ledger.Unknown:
		if p.hold && !p.resend {
			return refuse(Unknown, &Error{Stage: StageSubmit, Code: CodeHeld,
				Message: "it is not known whether the mail left, and --on-unknown=hold forbids a repeat; ask the recipient, then use --on-unknown=resend or --resend"})
		}
		if r.Message == nil && len(r.Calendar) > 0 {
			return step{action: compose, kind: kind, resend: r.Resend}
		}
		return step{action: repeat, kind: kind, resend: r.Resend}
	case ledger.Failed:
		if r.Permanent && !p.retryFailed {
			return refuse(Failed, &Error{Stage: Stage(r.Stage), Code: Code(r.Code), Permanent: true,
				Message: "refused before, and not tried again: " + r.Detail + "; change the invite, or use --retry-failed"})
		}
	}
	// Created, deferred, expired, or failed for that run only: go on from the
	// calendar if there is a usable one, else ask for it.
	if kind == None {
		return step{action: tell, kind: None}
	}
	if r.UID == "" || r.Unusable {
		return anewAs(e, w, kind)
	}
	return step{action: compose, kind: kind, resend: r.Resend}
}

// anewAs asks again for a revision that brought no usable calendar. What the
// mail is called may have changed since: an invitation may have been repeated.
func anewAs(e ledger.Entry, w want, kind Kind) step {
	s := anew(e, w)
	if s.action == nothing {
		s = step{action: ask, kind: kind}
	}
	return s
}

func formField(grouped bool) string {
	if grouped {
		return "recipients"
	}
	return "recipient"
}
