package mailer

import (
	"context"
	"time"
)

// task is an item on its way: its own work, and then that of each person who is
// to be withdrawn from it. Send takes one, SendAll many; both take it by try, next
// and result.
type task struct {
	item     Item
	w        *work     // at hand; nil until the item was checked
	then     []*work   // that follow it
	receipts []Receipt // of the latest try
	done     []Receipt // of what came before w, and in the end of everything

	tries int       // of w
	first time.Time // when w first failed for a time
	due   time.Time // when its next try is
}

func (t *task) id() string { return t.item.batch().ID }

// try takes the work at hand as far as it gets this time.
func (m *Mailer) try(ctx context.Context, t *task, r *run) {
	t.tries++
	if t.w == nil {
		c, problem := m.check(t.item.batch())
		if problem != nil {
			t.receipts = m.refuseAll(&c.batch, Invalid, problem)
			return
		}
		t.w = m.newWork(c, r)
		t.w.repeats = t.item.Repeats
	} else {
		t.w.reopen()
	}
	t.w.do(ctx)
	t.w.missing(ctx)
	t.receipts = t.w.receipts
}

// reopen prepares the second try of those whose first one failed for a time.
func (w *work) reopen() {
	for i := range w.done {
		if again, _ := temporary(w.receipts[i : i+1]); again {
			w.done[i] = false
			w.receipts[i].Outcome, w.receipts[i].Error = "", nil
		}
	}
}

// next keeps the receipts of the work at hand, and turns to the work that follows
// it. It reports whether there is any.
func (t *task) next() bool {
	if t.w == nil { // it was invalid
		t.done = t.receipts
		return false
	}
	t.w.date()
	t.done = append(append(t.done, t.w.receipts...), t.w.others...)
	t.then = append(t.then, t.w.gone...)
	if len(t.then) == 0 {
		return false
	}
	t.w, t.then = t.then[0], t.then[1:]
	t.receipts, t.tries, t.first = nil, 0, time.Time{}
	return true
}

// stop ends the task where it stands: what was tried keeps its outcome, the rest
// is deferred.
func (t *task) stop(m *Mailer, cause error) {
	if t.w == nil && t.tries == 0 {
		t.done = m.refuseItem(t.item, Deferred, notBegun(StageRead, cause))
		return
	}
	for more := true; more; more = t.next() {
		if t.tries == 0 {
			t.w.endRest(notBegun(StageRead, cause))
		}
	}
}

// result is the receipts of a task that has ended.
func (t *task) result() []Receipt { return t.done }

// batch is the item as the pipeline sees it; one of nobody if the item holds
// nothing.
func (i Item) batch() batch {
	switch {
	case i.Group != nil:
		return batch{Group: *i.Group}
	case i.Invite != nil:
		return i.Invite.batch()
	}
	return batch{}
}

// problem is what is wrong with the item itself.
func (i Item) problem() *Error {
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

// refuseItem makes the receipts of an item that is not begun.
func (m *Mailer) refuseItem(item Item, o Outcome, e *Error) []Receipt {
	b := item.batch()
	return m.refuseAll(&b, o, e)
}
