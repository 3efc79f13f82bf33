package mailer

import (
	"cmp"
	"context"
	"log/slog"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

type job struct { // one invite or group on its way
	Group
	single bool // asked for as an Invite
	m      *Mailer
	run    *run

	organizer        message.Mailbox // zero if there is none
	organizerDefault bool            // the settings named it, not the caller
	replyTo          message.Mailbox
	templates        Renderer
	findings         []Finding
	repeats          bool // an earlier record of the same input asked for the same

	ledger Ledger // nil if nothing is remembered
	claim  ledger.Claim
	answer *cronofy.SmartInvite // the API's, of this call

	recipients  []*recipient
	missing     []Receipt // of those who are missing in the list and stay invited
	withdrawals []*job    // of those who are not to stay
}

// recipient is one of the recipients of a job: what is known and planned for it, and how it ended.
type recipient struct {
	Recipient
	mailbox  message.Mailbox
	key      ledger.Key
	wanted   ledger.NewRevision // what is asked for, in terms that a ledger can compare
	entry    ledger.Entry
	plan     plan
	calendar *calendar.Calendar // what the API returned in this call
	receipt  Receipt
	done     bool
}

func (j *job) start() {
	for _, to := range j.recipients {
		to.key = ledger.Key{InviteID: j.ID, Address: to.mailbox.Address.Key()}
		to.wanted = ledger.NewRevision{Key: to.key, Recipient: to.mailbox.Address.String(),
			Grouped: !j.single, EndsAt: j.endsAt(), Revision: ledger.Revision{Method: j.Method,
				Fingerprint:   fingerprint(j.ID, to.key.Address, j.Method, j.organizer, j.Event),
				OrganizerName: j.organizer.Name, OrganizerEmail: j.organizer.Address.Key(),
				OrganizerDefault: j.organizerDefault}}
		to.receipt = Receipt{InviteID: j.ID, Recipient: to.Email, Method: j.Method, Kind: None, Findings: j.findings}
	}
}

// reopen prepares another try for those who failed for a time.
func (j *job) reopen() {
	for _, to := range j.recipients {
		if again, _ := to.receipt.retry(); again {
			to.done, to.receipt.Outcome, to.receipt.Error = false, "", nil
		}
	}
}

func (j *job) end(to *recipient, o Outcome, e *Error) {
	if e != nil && e.StopsRun {
		j.run.stop(e)
	}
	to.receipt.Outcome, to.receipt.Error, to.done = o, e, true
}

func (j *job) deferAll(e *Error) {
	for _, to := range j.pending() {
		j.end(to, Deferred, e)
	}
}

// pending are the recipients who have not ended.
func (j *job) pending() []*recipient {
	var pending []*recipient
	for _, to := range j.recipients {
		if !to.done {
			pending = append(pending, to)
		}
	}
	return pending
}

// mails counts the mails that the plans of those who have not ended give rise to.
func (j *job) mails() int {
	n := 0
	for _, to := range j.pending() {
		if a := to.plan.action; a != createOnly && a != recordOnly {
			n++
		}
	}
	return n
}

// process takes the job along its way, as far as it gets.
func (j *job) process(ctx context.Context) {
	j.refuseNotAllowed()
	if !j.lookUp(ctx, false) || len(j.pending()) == 0 {
		return
	}
	switch {
	case j.m.cfg.DryRun:
		for _, to := range j.pending() {
			j.end(to, cmp.Or(to.plan.outcome, Valid), to.plan.err)
		}
		return
	case ctx.Err() != nil:
		j.deferAll(interrupted(ctx, StageRead))
		return
	case j.mails() > 0 && j.run.exhausted():
		j.deferAll(tooMany(ctx))
		return
	}
	defer j.release(ctx)
	if !j.takeClaim(ctx) {
		return
	}
	j.recordEnded(ctx)
	// Only now no other run can change how many there are.
	mails := j.run.reserve(ctx, j.mails())
	defer func() { j.run.release(mails, 0) }()
	if mails == 0 && j.mails() > 0 {
		j.deferAll(tooMany(ctx))
		return
	}
	j.create(ctx)
	for _, to := range j.pending() {
		switch {
		case to.plan.action == createOnly:
			j.end(to, Unchanged, nil)
		case mails == 0:
			j.end(to, Deferred, tooMany(ctx))
		case j.deliver(ctx, to):
			mails--
			j.run.release(1, 1)
		}
	}
}

func (j *job) refuseNotAllowed() {
	for _, to := range j.pending() {
		if a := to.mailbox.Address; !j.m.toAllowed(a) {
			j.end(to, Failed, &Error{Stage: StagePolicy, Code: codeNotAllowed, Field: "recipient.email",
				Message: "mail to " + a.Domain() + " is not allowed here; " +
					"add the address or *@" + a.Domain() + " to Config.OnlyTo"})
		}
	}
}

func (j *job) receipts() []Receipt {
	receipts := make([]Receipt, 0, len(j.recipients))
	for _, to := range j.recipients {
		receipts = append(receipts, to.receipt)
	}
	return receipts
}

// finish dates and logs the receipts of a job that is over, and returns them.
func (j *job) finish() []Receipt {
	receipts := append(j.receipts(), j.missing...)
	for i := range receipts {
		r := &receipts[i]
		r.At = j.m.cfg.Now()
		level := slog.LevelDebug
		attrs := []any{"invite", r.InviteID, "outcome", r.Outcome, "kind", r.Kind}
		if i < len(j.recipients) {
			attrs = append(attrs, "recipient_domain", j.recipients[i].mailbox.Address.Domain())
		}
		if e := r.Error; e != nil {
			if !r.Known {
				level = slog.LevelWarn
			}
			attrs = append(attrs, "stage", e.Stage, "code", e.Code, "error", e.Message)
		}
		j.m.log.Log(context.Background(), level, "invite", attrs...)
	}
	return receipts
}

// tooMany is for what a run may not mail any more, or whose context ended while it waited.
func tooMany(ctx context.Context) *Error {
	if ctx.Err() != nil {
		return interrupted(ctx, StagePolicy)
	}
	return &Error{Stage: StagePolicy, Code: CodeMaxMails, Temporary: true,
		Message: "this run has sent as many mails as it may; run again to go on"}
}

func interrupted(ctx context.Context, s Stage) *Error {
	return &Error{Stage: s, Code: codeCancelled, Temporary: true, Err: context.Cause(ctx),
		Message: "the run was stopped before the mail began to leave; run again"}
}

// notBegun is for what a run that was stopped did not come to.
func notBegun(s Stage, cause error) *Error {
	return &Error{Stage: s, Code: CodeNotBegun, Temporary: true, Err: cause,
		Message: "the run stopped before it was the turn of this invite; " +
			"fix what stopped it, if need be, and run again"}
}
