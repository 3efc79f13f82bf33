package mailer

import (
	"context"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/lint"
)

// findMissing looks for people who were invited with this group and are no longer in its list. Half
// an export must not uninvite half a company, so they are reported, and withdrawn only if the caller
// asked for that: by a job for each, in their order, since each revises the same event.
func (j *job) findMissing(ctx context.Context) {
	j.missing, j.withdrawals = nil, nil
	if j.single || j.Method != Request || j.ledger == nil || ctx.Err() != nil {
		return
	}
	members, err := j.ledger.Members(ctx, j.ID)
	if err != nil {
		j.m.log.Warn("the ledger could not say who else was invited", "invite", j.ID, "error", err)
		return
	}
	listed := make(map[string]bool, len(j.recipients))
	for _, to := range j.recipients {
		listed[to.key.Address] = true
	}
	for _, e := range members {
		switch {
		case listed[e.Key.Address] || !e.Grouped || !invited(e):
		case e.Latest.State == ledger.Settled: // removed, with no calendar that could have been mailed
		case j.m.cfg.WithdrawMissing && !j.m.cfg.DryRun:
			j.withdraw(e)
		default:
			r := Receipt{InviteID: j.ID, Recipient: e.Recipient, Method: j.Method, Kind: None, Outcome: Unchanged,
				Findings: []Finding{{Rule: "missing_recipient", Level: lint.Warning, Field: "recipients",
					Message: "was invited before and is no longer in the list; " +
						"the invitation stands, use Config.WithdrawMissing to withdraw it"}}}
			r.repeat(e.LastSent)
			j.missing = append(j.missing, r)
		}
	}
}

func (j *job) withdraw(e ledger.Entry) {
	a, err := address.Parse(e.Recipient)
	if err != nil {
		j.m.log.Warn("an address in the ledger cannot be read; the recipient was not withdrawn",
			"invite", j.ID, "error", err)
		return
	}
	to := &recipient{Recipient: Recipient{Email: e.Recipient}, mailbox: message.Mailbox{Address: a}}
	w := &job{m: j.m, run: j.run, ledger: j.ledger, single: true,
		Group:     Group{ID: j.ID, Method: Remove, Mail: j.Mail},
		organizer: j.organizer, organizerDefault: j.organizerDefault, replyTo: j.replyTo,
		templates: j.templates, recipients: []*recipient{to}}
	w.start()
	j.withdrawals = append(j.withdrawals, w)
}

// Counted tells whether the API counts a recipient among those of its invite, as far as the ledger
// can tell: not if it took the recipient out, or never let them in. A cancellation of a group names
// those whom it counts.
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
		return false // it was over before the API was asked
	}
	return !refused || r.State != ledger.Failed || e.LastSent != nil
}
