package mailer

import (
	"context"
	"time"
)

// task is an item on its way: its own job, and then those of the people who are to be withdrawn from
// it. Send and SendAll take it by try and next.
type task struct {
	m    *Mailer
	run  *run
	item Item

	job      *job      // at hand; nil until the item was checked
	then     []*job    // that follow it
	receipts []Receipt // of the jobs that have ended, and in the end of all

	tries int         // of job
	first time.Time   // when it first failed for a time
	timer *time.Timer // runs until its next try
}

// try takes the job at hand as far as it gets this time.
func (t *task) try(ctx context.Context) {
	t.tries++
	if t.job == nil {
		job, problem := t.m.check(&t.item)
		if problem != nil {
			t.receipts = t.m.refuse(t.item, Invalid, problem)
			return
		}
		job.run = t.run
		t.job = job
	} else {
		t.job.reopen()
	}
	t.job.process(ctx)
	t.job.findMissing(ctx)
}

// latest are the receipts of the latest try.
func (t *task) latest() []Receipt {
	if t.job == nil { // it was invalid
		return t.receipts
	}
	return t.job.receipts()
}

// next keeps the receipts of the job at hand, and turns to the one that follows it, if any.
func (t *task) next() bool {
	if t.job == nil { // it was invalid
		return false
	}
	t.receipts = append(t.receipts, t.job.finish()...)
	t.then = append(t.then, t.job.withdrawals...)
	if len(t.then) == 0 {
		return false
	}
	t.job, t.then = t.then[0], t.then[1:]
	t.tries, t.first = 0, time.Time{}
	return true
}

// stop ends the task where it stands: what was tried keeps its outcome, the rest is deferred.
func (t *task) stop(cause error) {
	if t.job == nil && t.tries == 0 {
		t.receipts = t.m.refuse(t.item, Deferred, notBegun(StageRead, cause))
		return
	}
	for more := true; more; more = t.next() {
		if t.tries == 0 {
			t.job.deferAll(notBegun(StageRead, cause))
		}
	}
}

// Item is one record for [Mailer.SendAll]: an invite, a group, or the reason why it could not be
// read. One that holds none of them, or both an invite and a group, is Invalid.
type Item struct {
	Invite *Invite
	Group  *Group
	// Err is set for a record that is wrong as it stands; its receipt is Invalid.
	Err *Error
	// Repeats is set for a record with the same content as an earlier one of its input: it is
	// answered from the ledger, and never sent.
	Repeats bool
	// Tag is the caller's own, such as file and line.
	Tag any
}

// group is the item as the pipeline takes it; without recipients if the item holds nothing.
func (i *Item) group() Group {
	switch {
	case i.Group != nil:
		return *i.Group
	case i.Invite != nil:
		return i.Invite.group()
	}
	return Group{}
}

// problem is what is wrong with the item itself.
func (i *Item) problem() *Error {
	switch {
	case i.Err != nil:
		return i.Err
	case i.Invite == nil && i.Group == nil:
		return invalidItem("the item holds neither an invite nor a group; set one of them")
	case i.Invite != nil && i.Group != nil:
		return invalidItem("the item holds both an invite and a group; set one of them")
	}
	return nil
}

func invalidItem(message string) *Error {
	return &Error{Stage: StageRead, Code: CodeInvalid, Message: message}
}

// refuse makes the receipts of an item that is not begun: one at least.
func (m *Mailer) refuse(item Item, o Outcome, e *Error) []Receipt {
	g := item.group()
	if len(g.Recipients) == 0 {
		g.Recipients = []Recipient{{}}
	}
	if g.Method == "" {
		g.Method = Request
	}
	receipts := make([]Receipt, 0, len(g.Recipients))
	for _, to := range g.Recipients {
		receipts = append(receipts, Receipt{InviteID: g.ID, Recipient: to.Email, Method: g.Method, Kind: None,
			Outcome: o, At: m.cfg.Now(), Error: e})
	}
	return receipts
}
