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

// policy is how the settings have the unclear cases decided now.
type policy struct {
	*Config
	now time.Time
}

func (m *Mailer) policy() policy { return policy{&m.cfg, m.cfg.Now()} }

// over tells whether an event that ended at that time must not be mailed.
func (p policy) over(ends time.Time) bool {
	return !p.AllowPast && !p.PastWarns && !p.DryRun && p.past(ends)
}

// past tells whether that time is known and is not to come.
func (p policy) past(ends time.Time) bool {
	return !ends.IsZero() && !ends.After(p.now)
}

// action is what has to be done for one recipient of an invite.
type action int

const (
	// doNothing: what is asked for is done, or must not be done (see plan.err).
	doNothing action = iota
	// createAndMail: ask the API, then mail the calendar that comes back.
	createAndMail
	// createOnly: ask the API and mail nothing, as no invitation ever left.
	createOnly
	// mailStored: mail the calendar on record.
	mailStored
	// resubmit: submit the very bytes on record again.
	resubmit
	// recordOnly: record how things stand, see plan.outcome; ask and mail nothing.
	recordOnly
)

// plan is the decision for one recipient.
type plan struct {
	action  action
	kind    Kind
	resend  int
	err     *Error  // why nothing is done, unless it is done already
	outcome Outcome // of the receipt, when action is doNothing or recordOnly
	known   bool    // an earlier run told it
}

func refuse(o Outcome, e *Error) plan { return plan{kind: None, outcome: o, err: e} }

func unchanged() plan { return plan{kind: None, outcome: Unchanged} }

// decide says what the record e asks of a caller that wants w. It is a pure
// function: the whole policy of what is sent again stands here.
func decide(e ledger.Entry, w want, p policy) plan {
	if e.Forgotten {
		d := refuse(Expired, &Error{Stage: StageLedger, Code: codeForgotten,
			Message: "this invite is past and was removed from the ledger; give the event another id to invite anew"})
		// An event that was moved into the future is told each time: it cannot be recorded.
		d.known = w.method != Request || p.past(w.endsAt)
		return d
	}
	same := e.Latest != nil && e.Latest.Fingerprint == w.fingerprint && e.Latest.Method == w.method
	// What is on record of the end is that of the same content.
	over := w.method == Request && (p.over(w.endsAt) || same && p.over(e.EndsAt))
	d := decideContent(e, w, p, same, over)
	if over && d.action != doNothing && d.outcome == "" {
		return expired(e, d, same)
	}
	return d
}

func decideContent(e ledger.Entry, w want, p policy, same, over bool) plan {
	r := e.Latest
	switch {
	case r == nil:
		return plan{action: createAndMail, kind: firstKind(w.method)}
	case e.Grouped != w.grouped && w.method != Remove:
		now, before := "recipient", "recipients"
		if w.grouped {
			now, before = before, now
		}
		return refuse(Invalid, &Error{Stage: StageLedger, Code: CodeFormChanged, Field: now, Permanent: true,
			Message: "this id was used with " + before + " before; keep to one form, or give the event another id"})
	case w.organizerDefault && r.OrganizerDefault && !p.AcceptOrganizer && w.method == Request && e.LastSent != nil &&
		w.organizer != Organizer{r.OrganizerName, r.OrganizerEmail}:
		return refuse(Failed, &Error{Stage: StageLedger, Code: CodeOrganizerChanged, Field: "organizer",
			Message: "the default organizer changed since this invite was sent, " +
				"which would mail everybody an update; set Config.Organizer.Name and Config.Organizer.Email back, " +
				"name the organizer in the record, or use Config.AcceptOrganizer"})
	case same:
		return decideSame(e, w, p, over)
	case !p.Resend && r.State == ledger.Expired && r.UID == "" && sentAs(e.LastSent, w):
		return unchanged() // a change was too late, the API was not asked for it, and it was taken back
	}
	return decideChanged(e, w)
}

// sentAs tells whether r is what is asked for, and was sent.
func sentAs(r *ledger.Revision, w want) bool {
	return r != nil && r.State == ledger.Sent && r.Fingerprint == w.fingerprint && r.Method == w.method
}

// firstKind is the mail for an invite of which nothing is on record. Its cancellation is mailed, too:
// another program may have sent the invitation.
func firstKind(method Method) Kind {
	switch method {
	case Cancel:
		return Cancellation
	case Remove:
		return Withdrawal
	default:
		return Invitation
	}
}

// decideChanged decides for content that is not on record yet.
func decideChanged(e ledger.Entry, w want) plan {
	invited := invited(e)
	switch {
	case w.method == Request && invited:
		return plan{action: createAndMail, kind: Update}
	case w.method == Request || invited:
		return plan{action: createAndMail, kind: firstKind(w.method)}
	case e.LastSent != nil:
		return unchanged() // its cancellation or withdrawal left already, by either name
	}
	return plan{action: createOnly, kind: None}
}

// decideSame decides for content that is on record, by how that ended.
func decideSame(e ledger.Entry, w want, p policy, over bool) plan {
	r := e.Latest
	switch r.State {
	case ledger.Sent:
		if p.Resend {
			return plan{action: mailStored, kind: r.Kind, resend: r.Resend + 1}
		}
		return unchanged()
	case ledger.Settled:
		return unchanged()
	case ledger.Submitting, ledger.Unknown:
		return decideUnknown(r, p, over)
	case ledger.Failed:
		if r.Permanent && !p.RetryFailed {
			d := refuse(Failed, &Error{Stage: r.Stage, Code: r.Code, Permanent: true,
				Message: "refused before, and not tried again: " + r.Detail +
					"; change the invite, or use Config.RetryFailed"})
			d.known = true
			return d
		}
	}
	// Created, deferred, expired, or failed for that run only: go on from a usable calendar, else ask.
	switch d := decideChanged(e, w); {
	case r.Kind == None:
		return plan{action: createOnly, kind: None}
	case r.UID != "" && !r.Unusable:
		return plan{action: mailStored, kind: r.Kind, resend: r.Resend}
	case d.action == createAndMail:
		return d // an invitation may have become an update since
	default:
		// Of a cancellation that another program's invitation needs, only its first try is on record.
		return plan{action: createAndMail, kind: r.Kind}
	}
}

// invited tells whether the last that left for a recipient, or may have, is an invitation.
func invited(e ledger.Entry) bool {
	return e.LastSent != nil && e.LastSent.Method == Request
}
