package mailer

import (
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

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
func (p policy) past(ends time.Time) bool { return !ends.IsZero() && !ends.After(p.now) }

// action is what has to be done for one recipient of an invite.
type action int

const (
	doNothing     action = iota // what is asked for is done, or must not be done (see plan.err)
	createAndMail               // ask the API, then mail the calendar that comes back
	createOnly                  // ask the API and mail nothing, as no invitation ever left
	mailStored                  // mail the calendar on record
	resubmit                    // submit the very bytes on record again
	recordOnly                  // record how things stand, see plan.outcome; ask and mail nothing
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

// decide says what the record e asks of a caller that wants w. It is a pure function: the whole policy
// of what is sent again stands here.
func decide(e ledger.Entry, w ledger.NewRevision, p policy) plan {
	if e.Forgotten {
		d := refuse(Expired, &Error{Stage: StageLedger, Code: codeForgotten,
			Message: "this invite is past and was removed from the ledger; give the event another id to invite anew"})
		// An event that was moved into the future is told each time: it cannot be recorded.
		d.known = w.Revision.Method != Request || p.past(w.EndsAt)
		return d
	}
	same := sameContent(e.Latest, w)
	// What is on record of the end is that of the same content.
	over := w.Revision.Method == Request && (p.over(w.EndsAt) || same && p.over(e.EndsAt))
	d := decideContent(e, w, p, same, over)
	if over && d.action != doNothing && d.outcome == "" {
		return expired(e, d, same)
	}
	return d
}

func decideContent(e ledger.Entry, w ledger.NewRevision, p policy, same, over bool) plan {
	r := e.Latest
	switch {
	case r == nil:
		return plan{action: createAndMail, kind: firstKind(w.Revision.Method)}
	case e.Grouped != w.Grouped && w.Revision.Method != Remove:
		now, before := "recipient", "recipients"
		if w.Grouped {
			now, before = before, now
		}
		return refuse(Invalid, &Error{Stage: StageLedger, Code: CodeFormChanged, Field: now, Permanent: true,
			Message: "this id was used with " + before + " before; keep to one form, or give the event another id"})
	case w.Revision.OrganizerDefault && r.OrganizerDefault && !p.AcceptOrganizer && w.Revision.Method == Request &&
		e.LastSent != nil &&
		(r.OrganizerName != w.Revision.OrganizerName || r.OrganizerEmail != w.Revision.OrganizerEmail):
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

// sameContent tells whether r, which may be nil, is what is asked for.
func sameContent(r *ledger.Revision, w ledger.NewRevision) bool {
	return r != nil && r.Fingerprint == w.Revision.Fingerprint && r.Method == w.Revision.Method
}

// sentAs tells whether r is what is asked for, and was sent.
func sentAs(r *ledger.Revision, w ledger.NewRevision) bool {
	return sameContent(r, w) && r.State == ledger.Sent
}

// firstKind is the mail for an invite of which nothing is on record. Its cancellation is mailed, too:
// another program may have sent the invitation.
func firstKind(method Method) Kind {
	return map[Method]Kind{Request: Invitation, Cancel: Cancellation, Remove: Withdrawal}[method]
}

// decideChanged decides for content that is not on record yet.
func decideChanged(e ledger.Entry, w ledger.NewRevision) plan {
	invited := invited(e)
	switch {
	case w.Revision.Method == Request && invited:
		return plan{action: createAndMail, kind: Update}
	case w.Revision.Method == Request || invited:
		return plan{action: createAndMail, kind: firstKind(w.Revision.Method)}
	case e.LastSent != nil:
		return unchanged() // its cancellation or withdrawal left already, by either name
	}
	return plan{action: createOnly, kind: None}
}

// decideSame decides for content that is on record, by how that ended.
func decideSame(e ledger.Entry, w ledger.NewRevision, p policy, over bool) plan {
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
