package mailer

import (
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// want is what an invite asks for, in terms that a ledger can compare.
type want struct {
	method           Method
	fingerprint      string
	grouped          bool
	organizer        Organizer
	organizerDefault bool // the settings named it, not the caller
	endsAt           time.Time
}

// policy is how the caller wants the unclear cases to be decided.
type policy struct {
	resend          bool // mail again what is sent already
	retryFailed     bool // try again what was refused for good
	onUnknown       OnUnknown
	acceptOrganizer bool // a changed default organizer changes every invite
	allowPast       bool // what is over is mailed all the same
	now             time.Time
}

// over tells whether an event that ended at that time must not be mailed.
func (p policy) over(ends time.Time) bool {
	return !p.allowPast && p.past(ends)
}

// past tells whether that time is known and is not to come.
func (p policy) past(ends time.Time) bool {
	return !ends.IsZero() && !ends.After(p.now)
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
	// note: record how things stand, see step.outcome; ask and mail nobody.
	note
)

// step is the decision for one recipient.
type step struct {
	action action
	kind   Kind
	resend int
	err    *Error // why nothing is done, unless it is done already
	// outcome is the receipt's when action is nothing or note.
	outcome Outcome
	known   bool // an earlier run told it
}

func refuse(o Outcome, e *Error) step {
	return step{kind: None, outcome: o, err: e}
}

// decide says what the record e asks of a caller that wants w. It is a pure
// function: the whole policy of what is sent again stands here.
func decide(e ledger.Entry, w want, p policy) step {
	if e.Forgotten {
		s := refuse(Expired, &Error{Stage: StageLedger, Code: CodeForgotten,
			Message: "this invite is past and was removed from the ledger; give the event another id to invite anew"})
		// Whoever moved it into the future is told each time: it cannot be recorded.
		s.known = w.method != Request || p.past(w.endsAt)
		return s
	}
	same := e.Latest != nil && e.Latest.Fingerprint == w.fingerprint && e.Latest.Method == w.method
	// What is on record of the end is that of the same content.
	over := w.method == Request && (p.over(w.endsAt) || same && p.over(e.EndsAt))
	s := decideContent(e, w, p, same, over)
	if over && s.action != nothing && s.outcome == "" {
		return lapse(e, s, same)
	}
	return s
}

func decideContent(e ledger.Entry, w want, p policy, same, over bool) step {
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
	if !same {
		if !p.resend && e.Latest.State == ledger.Expired && e.Latest.UID == "" && sentAs(e.LastSent, w) {
			// A change was too late, nobody was asked for it, and it was taken back.
			return step{kind: None, outcome: Unchanged}
		}
		return anew(e, w)
	}
	return again(e, w, p, over)
}

// sentAs tells whether r is what is asked for, and was sent.
func sentAs(r *ledger.Revision, w want) bool {
	return r != nil && r.State == ledger.Sent && r.Fingerprint == w.fingerprint && r.Method == w.method
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
	invited := invited(e)
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
func again(e ledger.Entry, w want, p policy, over bool) step {
	r := e.Latest
	kind := r.Kind
	switch r.State {
	case ledger.Sent:
		if p.resend {
			return step{action: compose, kind: kind, resend: r.Resend + 1}
		}
		return step{kind: None, outcome: Unchanged}
	case ledger.Settled:
		return step{kind: None, outcome: Unchanged}
	case ledger.Submitting, ledger.Unknown:
		return doubtful(r, p, over)
	case ledger.Failed:
		if r.Permanent && !p.retryFailed {
			s := refuse(Failed, &Error{Stage: r.Stage, Code: r.Code, Permanent: true,
				Message: "refused before, and not tried again: " + r.Detail + "; change the invite, or use --retry-failed"})
			s.known = true
			return s
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
// mail is called may have changed since: an invitation may have been repeated. What
// was to be mailed still is: of a cancellation that another program's invitation
// needs, nothing but its first try is on record.
func anewAs(e ledger.Entry, w want, kind Kind) step {
	s := anew(e, w)
	if s.action != ask {
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
