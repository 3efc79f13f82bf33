package mailer

import (
	"context"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// missing looks for people who were invited with this group and are no longer
// in its list. Half an export must not uninvite half a company, so they are
// reported, and withdrawn only if the caller asked for that: by a work of its own
// for each, in their order, since each revises the same event.
func (w *work) missing(ctx context.Context) {
	w.others, w.gone = nil, nil
	if w.single || w.Method != Request || w.ledger == nil || ctx.Err() != nil {
		return
	}
	members, err := w.ledger.Members(ctx, w.ID)
	if err != nil {
		w.m.log.Warn("the ledger could not say who else was invited", "invite", w.ID, "error", err)
		return
	}
	listed := make(map[string]bool, len(w.keys))
	for _, k := range w.keys {
		listed[k.Address] = true
	}
	for _, e := range members {
		if listed[e.Key.Address] || !e.Grouped || !invited(e) || removed(e) {
			continue
		}
		if w.m.cfg.WithdrawMissing && !w.m.cfg.DryRun {
			if gone := w.withdrawal(e); gone != nil {
				w.gone = append(w.gone, gone)
			}
			continue
		}
		r := Receipt{InviteID: w.ID, Recipient: e.Recipient, Method: w.Method, Kind: None, Outcome: Unchanged,
			Findings: []Finding{{Rule: "missing_recipient", Level: LevelWarning, Field: "recipients",
				Message: "was invited before and is no longer in the list; the invitation stands, use --withdraw-missing to withdraw it"}}}
		if e.LastSent != nil {
			r.repeat(e.LastSent)
		}
		w.others = append(w.others, r)
	}
}

// invited tells whether the last that left for a recipient, or may have, is an
// invitation.
func invited(e ledger.Entry) bool {
	return e.LastSent != nil && e.LastSent.Method == Request
}

// Counted tells whether the API counts a recipient among those of its invite, as far
// as the ledger can tell: not if it took the recipient out, or never let them in. A
// cancellation of a group names those whom it counts.
func Counted(e *ledger.Entry) bool {
	r := e.Latest
	if r == nil {
		return false
	}
	refused := r.Stage == StageCreate
	if r.Method == Remove {
		return refused
	}
	if r.State == ledger.Expired && r.UID == "" && e.LastSent == nil {
		return false // it was over before anybody was asked
	}
	return !refused || r.State != ledger.Failed || e.LastSent != nil
}

// removed tells whether somebody who was invited was taken out of the event since,
// with no calendar that could have been mailed.
func removed(e ledger.Entry) bool { return e.Latest.State == ledger.Settled }

// settleRemoved is for a removal that the API answers with "not found". Whoever
// is on record as invited was removed before, and there is nobody left to take out
// of the event; of the others, it is an error.
func (w *work) settleRemoved(asking []int) {
	for _, i := range asking {
		if w.Method == Remove && invited(w.entries[i]) {
			w.steps[i] = step{action: tell, kind: None}
			w.receipts[i].Kind = None
		}
	}
}

// withdrawal is the work of withdrawing somebody from the group. It is nil if the
// address on record cannot be read.
func (w *work) withdrawal(e ledger.Entry) *work {
	a, err := address.Parse(e.Recipient)
	if err != nil {
		w.m.log.Warn("an address in the ledger cannot be read; nobody was withdrawn", "invite", w.ID, "error", err)
		return nil
	}
	return w.m.newWork(&checked{organizer: w.organizer, organizerDefault: w.organizerDefault, replyTo: w.replyTo, templates: w.templates, to: []message.Mailbox{{Address: a}},
		batch: Invite{ID: w.ID, Method: Remove, Recipient: Recipient{Email: e.Recipient}, Organizer: w.Organizer, Mail: w.Mail}.batch()}, w.run)
}
