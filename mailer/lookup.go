package mailer

import (
	"context"
	"fmt"
	"strings"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/lint"
)

// lookUp reads the ledger and decides for all who have not ended; those for whom nothing is to be
// done are ended. It reports whether the ledger could be read.
func (j *job) lookUp(ctx context.Context, claimed bool) bool {
	pending := j.pending()
	if j.ledger != nil && len(pending) > 0 {
		read := j.ledger.Lookup
		if claimed {
			read = j.ledger.Load
		}
		entries, err := read(ctx, keys(pending)...)
		if err != nil {
			j.deferAll(ledgerError(ctx, err))
			return false
		}
		for i, to := range pending {
			to.entry = entries[i]
		}
	}
	for _, to := range pending {
		j.decide(to)
	}
	return true
}

func keys(recipients []*recipient) []ledger.Key {
	keys := make([]ledger.Key, 0, len(recipients))
	for _, to := range recipients {
		keys = append(keys, to.key)
	}
	return keys
}

// decide plans what is done for a recipient, and ends it if that is nothing.
func (j *job) decide(to *recipient) {
	if j.refuseBlanks(to); to.done {
		return
	}
	p := decide(to.entry, to.wanted, j.m.policy())
	to.plan, to.receipt.Known, to.receipt.Kind = p, p.known, None
	switch {
	case p.outcome == Unchanged && sentAs(to.entry.LastSent, to.wanted):
		to.receipt.repeat(to.entry.LastSent)
	case to.entry.Latest != nil && p.action != createAndMail:
		to.receipt.repeat(to.entry.Latest)
	}
	_, unknown := j.run.unknown.Load(to.key)
	switch {
	case unknown && p.action != doNothing:
		j.end(to, Unknown, &Error{Stage: StageSubmit, Code: codeUnknownThisRun,
			Temporary: j.m.cfg.OnUnknown != OnUnknownNever,
			Message:   "it is not known whether the mail left, and it is never repeated within one run"})
	case p.action == doNothing:
		j.end(to, p.outcome, p.err)
	case j.repeats:
		to.warn("repeated_record", "", "the same record stands earlier in this input; its outcome is there")
		j.end(to, Unchanged, nil)
	default:
		to.receipt.Kind = p.kind
		if j.refuseSender(to); to.done {
			return
		}
		if sameContent(to.entry.Latest, to.wanted) {
			j.warnPast(to, to.entry.EndsAt)
		}
		j.warnPast(to, j.endsAt())
	}
}

func (to *recipient) warn(rule, field, format string, args ...any) {
	to.receipt.addFinding(Finding{Rule: rule, Level: lint.Warning, Field: field, Message: fmt.Sprintf(format, args...)})
}

// refuseBlanks ends a recipient if the id has blanks around it: the same id without them would be a
// second invite for the same person. One that is on record so keeps it.
func (j *job) refuseBlanks(to *recipient) {
	if j.ID == strings.TrimFunc(j.ID, safetext.IsBlank) {
		return
	}
	for _, other := range j.recipients {
		if other.entry.Known || other.entry.Forgotten {
			to.warn("blank_in_id", "smart_invite_id",
				"there is a blank before or after the id, with which it is on record; it is kept")
			return
		}
	}
	j.end(to, Invalid, &Error{Stage: StageRead, Code: CodeInvalid, Field: "smart_invite_id", Message: fmt.Sprintf(
		"there is a blank before or after the id, %.80q, which may be one that takes no room; take it out", j.ID)})
}

// refuseSender ends a recipient if the mail that is planned would be from a domain that is not
// allowed: the sender may be that of an earlier mail, or stand in the bytes to be repeated. It does
// so before the API is asked, which would otherwise know of what the recipient is not told.
func (j *job) refuseSender(to *recipient) {
	var from address.Address
	switch to.plan.action {
	case resubmit:
		from, _ = address.Parse(to.entry.Latest.FromEmail) // what cannot be read is not on record
	case createAndMail, mailStored:
		sender, _ := j.from(to) // that there is none is told when the mail is composed
		from = sender.Address
	default:
		return
	}
	if !from.IsZero() && !j.m.fromAllowed(from) {
		j.end(to, Failed, senderNotAllowed(from))
	}
}

func senderNotAllowed(from address.Address) *Error {
	return &Error{Stage: StagePolicy, Code: CodeInvalid, Field: "organizer.email",
		Message: fmt.Sprintf("mail from %s is not allowed here; use a domain of Config.FromDomains", from.Domain())}
}
