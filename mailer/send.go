package mailer

import (
	"context"
	"log/slog"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Send takes one invite all the way: it asks the API for the Smart Invite,
// composes the mail and submits it. The receipt is always filled as far as
// things came; the error is nil for Sent, Unchanged and Valid only, and an
// *[Error] otherwise.
//
// A context that ends before the content began to leave gives Deferred, later
// Unknown. In a web handler, whose context ends when the caller hangs up, pass
// context.WithoutCancel(r.Context()).
func (m *Mailer) Send(ctx context.Context, i Invite) (Receipt, error) {
	receipts := m.send(ctx, Item{Invite: &i})
	return receipts[0], firstError(receipts)
}

// SendGroup takes one event to several recipients: one request (with the method
// Remove, one for each), and a mail and a receipt for each, in their order. Those whose event did not change hear
// nothing. Receipts of people who are on record for this id but no longer in
// the list follow at the end. The error is that of the first receipt that has
// one.
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

// send takes one item all the way, in the one way that SendAll takes its items.
// There is at least one receipt, also for an invite that names nobody.
func (m *Mailer) send(ctx context.Context, item Item) []Receipt {
	if !m.inHand.begin() {
		return m.refuseItem(item, Deferred, closedError())
	}
	defer m.inHand.end()
	t := &task{item: item}
	for more := true; more; more = t.next() {
		m.try(ctx, t, nil)
	}
	return t.result()
}

func closedError() *Error {
	return &Error{Stage: StageRead, Code: CodeNotBegun, Temporary: true, Err: ErrClosed, Message: ErrClosed.Error()}
}

// date dates and logs the receipts.
func (w *work) date() {
	for _, receipts := range [][]Receipt{w.receipts, w.others} {
		for i := range receipts {
			receipts[i].At = w.m.cfg.Now()
			w.m.logReceipt(&receipts[i], w.checked)
		}
	}
}

func (m *Mailer) refuseAll(b *batch, o Outcome, e *Error) []Receipt {
	recipients := b.Recipients
	if len(recipients) == 0 {
		recipients = []Recipient{{}}
	}
	method := b.Method
	if method == "" {
		method = Request
	}
	receipts := make([]Receipt, 0, len(recipients))
	for _, to := range recipients {
		receipts = append(receipts, Receipt{InviteID: b.ID, Recipient: to.Email, Method: method, Kind: None,
			Outcome: o, At: m.cfg.Now(), Error: e})
	}
	return receipts
}

func (m *Mailer) logReceipt(r *Receipt, c *checked) {
	level := slog.LevelDebug
	attrs := []slog.Attr{slog.String("invite", r.InviteID), slog.String("outcome", string(r.Outcome)), slog.String("kind", string(r.Kind))}
	for i := range c.to {
		if c.Recipients[i].Email == r.Recipient {
			attrs = append(attrs, slog.String("recipient_domain", c.to[i].Address.Domain()))
			break
		}
	}
	if r.Error != nil {
		if !r.Known {
			level = slog.LevelWarn
		}
		attrs = append(attrs, slog.String("stage", string(r.Error.Stage)), slog.String("code", string(r.Error.Code)), slog.String("error", r.Error.Message))
	}
	m.log.LogAttrs(context.Background(), level, "invite", attrs...)
}

// work is one invite, or group, in hand.
type work struct {
	*checked
	m   *Mailer
	run *run

	// Those of the run, or the Mailer's.
	api       SmartInvites
	submitter Submitter

	ledger Ledger // nil if nothing is remembered
	claim  ledger.Claim

	receipts []Receipt // one for each recipient, in their order
	others   []Receipt // of those who are missing and stay invited
	gone     []*work   // the withdrawals of those who are not to stay
	done     []bool
	keys     []ledger.Key
	prints   []string
	entries  []ledger.Entry
	steps    []step
	// received are the calendars of this call, one for each recipient, though
	// mostly the same. With no ledger they are all that a second try has to go on from.
	received []*calendar.Calendar
	// answer is the API's answer of this call.
	answer *cronofy.SmartInvite
	// repeats: an earlier record of the same input asked for the same.
	repeats bool
}

func (m *Mailer) newWork(c *checked, r *run) *work {
	n := len(c.Recipients)
	w := &work{checked: c, m: m, run: r, api: m.cfg.API, submitter: m.cfg.Submitter, ledger: m.cfg.Ledger,
		receipts: make([]Receipt, n), done: make([]bool, n), keys: make([]ledger.Key, n),
		received: make([]*calendar.Calendar, n), prints: make([]string, n), entries: make([]ledger.Entry, n), steps: make([]step, n)}
	if r != nil {
		w.api, w.submitter = r.api, r.submitter
	}
	for i, to := range c.to {
		w.keys[i] = ledger.Key{InviteID: c.ID, Address: to.Address.Key()}
		w.prints[i] = fingerprint(c.ID, w.keys[i].Address, c.Method, c.organizer, c.Event)
		w.receipts[i] = Receipt{InviteID: c.ID, Recipient: c.Recipients[i].Email, Method: c.Method, Kind: None, Findings: c.findings}
	}
	return w
}

// end writes the outcome of recipient i into its receipt.
func (w *work) end(i int, o Outcome, e *Error) {
	if e != nil && e.StopsRun {
		w.run.stop(e)
	}
	w.receipts[i].Outcome = o
	w.receipts[i].Error = e
	w.done[i] = true
}

// endRest defers all that are still open.
func (w *work) endRest(e *Error) {
	for i := range w.done {
		if !w.done[i] {
			w.end(i, Deferred, e)
		}
	}
}

func (w *work) open() []int {
	var open []int
	for i, done := range w.done {
		if !done {
			open = append(open, i)
		}
	}
	return open
}

// do takes the invite along its way, as far as it gets.
func (w *work) do(ctx context.Context) {
	w.permit()
	if !w.look(ctx, false) {
		return
	}
	open := w.open()
	if len(open) == 0 {
		return
	}
	if w.m.cfg.DryRun {
		for _, i := range open {
			if s := w.steps[i]; s.action == note {
				w.end(i, s.outcome, s.err)
				continue
			}
			w.end(i, Valid, nil)
		}
		return
	}
	if ctx.Err() != nil {
		w.endRest(interrupted(ctx, StageRead))
		return
	}
	if w.mails() > 0 && w.run.exhausted() {
		w.endRest(tooMany(ctx))
		return
	}
	if !w.take(ctx) {
		return
	}
	defer w.release(ctx)
	w.note(ctx)
	// Only now nobody else can change how many there are.
	mails := w.run.take(ctx, w.mails())
	defer func() { w.run.give(mails) }()
	if mails == 0 && w.mails() > 0 {
		w.endRest(tooMany(ctx))
		return
	}
	w.ask(ctx)
	for _, i := range w.open() {
		if w.steps[i].action == tell {
			w.end(i, Unchanged, nil)
			continue
		}
		if mails == 0 {
			w.end(i, Deferred, tooMany(ctx))
			continue
		}
		if w.deliver(ctx, i) {
			mails--
			w.run.spend(1)
		}
	}
}

// tooMany is for what a run may not mail any more, or does not come to as its
// context ended while it waited for its turn.
func tooMany(ctx context.Context) *Error {
	if ctx.Err() != nil {
		return interrupted(ctx, StagePolicy)
	}
	return &Error{Stage: StagePolicy, Code: CodeMaxMails, Temporary: true,
		Message: "this run has sent as many mails as it may; run again to go on"}
}

// mails counts the mails that the open steps give rise to.
func (w *work) mails() int {
	n := 0
	for _, i := range w.open() {
		if a := w.steps[i].action; a != tell && a != note {
			n++
		}
	}
	return n
}

// permit ends those who must not be mailed from here.
func (w *work) permit() {
	if len(w.m.cfg.OnlyTo) == 0 {
		return
	}
	for i, to := range w.to {
		if !matchAddress(w.m.cfg.OnlyTo, to.Address) {
			w.end(i, Failed, &Error{Stage: StagePolicy, Code: CodeNotAllowed, Field: "recipient.email",
				Message: "mail to " + to.Address.Domain() + " is not allowed here; add the address or *@" + to.Address.Domain() + " to MAIL_ONLY_TO"})
		}
	}
}

func addOnce(findings []Finding, f Finding) []Finding {
	for _, have := range findings {
		if have.Rule == f.Rule {
			return findings
		}
	}
	// The slice may be shared by the receipts of a group.
	return append(findings[:len(findings):len(findings)], f)
}

func interrupted(ctx context.Context, s Stage) *Error {
	return &Error{Stage: s, Code: CodeCancelled, Temporary: true, Err: context.Cause(ctx),
		Message: "the run was stopped before the mail began to leave; run again"}
}

func (w *work) decide(i int) {
	if w.refuseBlanks(i); w.done[i] {
		return
	}
	e := &w.entries[i]
	want := want{method: w.Method, fingerprint: w.prints[i], grouped: !w.single,
		organizer: Organizer{w.organizer.Name, w.organizer.Address.Key()}, organizerDefault: w.organizerDefault, endsAt: w.endsAt()}
	s := decide(*e, want, w.policy())
	w.steps[i] = s
	w.receipts[i].Known = s.known
	switch {
	case s.outcome == Unchanged && sentAs(e.LastSent, want):
		w.receipts[i].repeat(e.LastSent)
	case e.Latest != nil && s.action != ask:
		w.receipts[i].repeat(e.Latest)
	}
	if w.run.isUnknown(w.keys[i]) && s.action != nothing {
		w.end(i, Unknown, &Error{Stage: StageSubmit, Code: CodeUnknownThisRun, Temporary: w.m.policy.onUnknown != OnUnknownNever,
			Message: "it is not known whether the mail left, and it is never repeated within one run"})
		return
	}
	w.receipts[i].Kind = None
	if s.action == nothing {
		w.end(i, s.outcome, s.err)
		return
	}
	if w.repeats {
		w.receipts[i].Findings = addOnce(w.receipts[i].Findings, Finding{Rule: "repeated_record", Level: LevelWarning,
			Message: "the same record stands earlier in this input; its outcome is there"})
		w.end(i, Unchanged, nil)
		return
	}
	w.receipts[i].Kind = s.kind
	if w.holdSender(i); w.done[i] {
		return
	}
	if w.sameContent(i) {
		w.warnPast(i, e.EndsAt)
	}
	w.warnPast(i, w.endsAt())
}

// repeat fills in what is on record.
func (r *Receipt) repeat(rev *ledger.Revision) {
	r.UID, r.MessageID, r.Reply, r.Attempts = rev.UID, rev.MessageID, rev.Reply, rev.Attempts
	if rev.UID != "" {
		r.Sequence = &rev.Sequence
	}
}
