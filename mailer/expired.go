package mailer

import (
	"context"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// expired decides for an invitation to an event that is over. It is told once.
func expired(e ledger.Entry, d plan, same bool) plan {
	err := &Error{Stage: StagePolicy, Code: CodeExpired, Field: "event.end", unusable: same && e.Latest.Unusable,
		Message: "the event is over; nothing was sent; correct the time, or use Config.AllowPast"}
	refused := refuse(Expired, err)
	switch {
	case same && e.Latest.State == ledger.Expired:
		refused.known = true
		return refused
	case same && e.Latest.State == ledger.Sent:
		return refused // a repeat on purpose; what was sent stays sent
	}
	return plan{action: recordOnly, kind: d.kind, outcome: Expired, err: err}
}

// warnPast says so where the past is mailed for a trial only.
func (j *job) warnPast(to *recipient, ends time.Time) {
	p := j.m.policy()
	if j.Method == Request && (p.PastWarns || p.DryRun) && !p.AllowPast && p.past(ends) {
		to.warn("past_event", "event.end", "the event is over; a real send would refuse it")
	}
}

// recordEnded ends those of whom there is something to record, and nothing to ask or to mail.
func (j *job) recordEnded(ctx context.Context) {
	for _, to := range j.pending() {
		switch p := to.plan; {
		case p.action != recordOnly:
		case sameContent(to.entry.Latest, to.wanted):
			j.conclude(ctx, to, p.outcome, p.err)
		default:
			j.recordExpired(ctx, to)
		}
	}
}

// recordExpired records an event that was over before the API was asked for it.
func (j *job) recordExpired(ctx context.Context, to *recipient) {
	to.receipt.MessageID, to.receipt.Reply, to.receipt.Attempts = "", "", 0
	j.end(to, to.plan.outcome, to.plan.err)
	added := j.newRevision(to, nil, to.plan.err)
	added.Revision.State = ledger.Expired
	if invited(to.entry) {
		added.EndsAt = time.Time{} // people still have the event as it was sent
	}
	if err := j.add(ctx, added); err != nil {
		j.end(to, Deferred, err)
	}
}

// expire ends a recipient whose event is over by the calendar received for it or on record.
func (j *job) expire(ctx context.Context, to *recipient) {
	d := expired(to.entry, to.plan, to.plan.action == mailStored)
	if d.action == recordOnly {
		to.receipt.Reply = ""
		j.conclude(ctx, to, d.outcome, d.err)
		return
	}
	to.receipt.Known = d.known
	j.end(to, d.outcome, d.err)
}
