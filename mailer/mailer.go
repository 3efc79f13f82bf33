package mailer

import (
	"context"
	"errors"
	"fmt"
)

// ErrClosed is the cause of what a Mailer refuses after [Mailer.Shutdown], and
// what SendAll returns then.
var ErrClosed = errors.New("the mailer is shut down; send the invite again with a new one")

// Send takes one invite all the way: it asks the API for the Smart Invite, composes the mail and
// submits it. The receipt is filled as far as things came; the error is nil for Sent, Unchanged and
// Valid only, and an *[Error] otherwise.
//
// A context that ends before the content began to leave gives Deferred, later Unknown. In a web
// handler, whose context ends when the client hangs up, pass context.WithoutCancel(r.Context()).
func (m *Mailer) Send(ctx context.Context, i Invite) (Receipt, error) {
	receipts := m.send(ctx, Item{Invite: &i})
	return receipts[0], firstError(receipts)
}

// SendGroup takes one event to several recipients: one request (with the method Remove, one for
// each), and a mail and a receipt for each, in their order. Those whose event did not change are not
// mailed. Receipts of people who are on record for this id but no longer in the list follow at the
// end. The error is that of the first receipt that has one.
func (m *Mailer) SendGroup(ctx context.Context, g Group) ([]Receipt, error) {
	receipts := m.send(ctx, Item{Group: &g})
	return receipts, firstError(receipts)
}

func firstError(receipts []Receipt) error {
	for _, r := range receipts {
		if r.Error != nil {
			return r.Error
		}
	}
	return nil
}

// send takes one item all the way. There is at least one receipt, also for an invite without a
// recipient.
func (m *Mailer) send(ctx context.Context, item Item) []Receipt {
	if !m.begin() {
		return m.refuse(item, Deferred, &Error{Stage: StageRead, Code: CodeNotBegun, Temporary: true,
			Err: ErrClosed, Message: ErrClosed.Error()})
	}
	defer m.end()
	t := &task{m: m, run: m.singleRun(), item: item}
	for more := true; more; more = t.next() {
		t.try(ctx)
	}
	return t.receipts
}

// Shutdown refuses new invites, waits for those in hand, and returns nil. If ctx ends first, it
// returns an error that wraps its cause, and those in hand go on. It may be called again.
//
// Send and SendGroup finish the invite that they have in hand; SendAll ends as if it had been
// stopped (see RunOptions.Stop). What is refused is Deferred, with an error that wraps [ErrClosed].
// What Config was given is not closed; the package comment has the order.
func (m *Mailer) Shutdown(ctx context.Context) error {
	m.mu.Lock()
	if !m.closed {
		m.closed = true
		close(m.closing)
		m.closeIfIdle()
	}
	m.mu.Unlock()
	select {
	case <-m.idle:
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls > 0 {
		return fmt.Errorf("%d calls of Send, SendGroup or SendAll are still in hand; "+
			"wait for longer, or end their contexts: %w", m.calls, context.Cause(ctx))
	}
	return nil
}

// begin counts another call, which calls end at its end, or returns false after Shutdown.
func (m *Mailer) begin() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.calls++
	return true
}

func (m *Mailer) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls--
	m.closeIfIdle()
}

func (m *Mailer) closeIfIdle() {
	if m.closed && m.calls == 0 {
		close(m.idle)
	}
}
