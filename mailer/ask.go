package mailer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// ask asks the API on behalf of everybody whose step needs it, and records the
// calendar that comes back. Those for whom it went wrong are ended.
func (w *work) ask(ctx context.Context) {
	var asking []int
	for _, i := range w.open() {
		if w.received[i] != nil && w.ledger == nil {
			continue // a second try, and what came at the first is good
		}
		if a := w.steps[i].action; a == ask || a == tell {
			asking = append(asking, i)
		}
	}
	if len(asking) == 0 {
		return
	}
	if w.Method == Remove { // which takes one recipient at a time
		for n := range asking {
			w.askFor(ctx, asking[n:n+1], asking[n:n+1])
			if stop := stopping(w.receipts[asking[n] : asking[n]+1]); stop != nil {
				w.endRest(notBegun(StageCreate, stop))
				return
			}
		}
		return
	}
	if len(asking) < len(w.open()) {
		// Others of the group were received but not mailed yet. The new calendar
		// is the better one for them too, except where bytes may have left.
		for _, i := range w.open() {
			if s := &w.steps[i]; s.action == compose && s.resend == 0 {
				s.action = ask
				asking = append(asking, i)
			}
		}
	}
	var all []int
	for i := range w.to {
		if e := w.receipts[i].Error; e == nil || e.Code != CodeNotAllowed {
			all = append(all, i)
		}
	}
	w.askFor(ctx, all, asking)
}

// askFor makes the one request that names those in named, on behalf of those in
// asking.
func (w *work) askFor(ctx context.Context, named, asking []int) {
	text, problem := w.request(ctx, named)
	if problem != nil && problem.Code == CodeNotFound {
		w.settleRemoved(asking)
		if w.allTell(asking) {
			problem = nil // the API does not know it: it is as cancelled as can be
		}
	}
	if problem != nil {
		w.refuse(ctx, asking, problem)
		return
	}
	if w.allTell(asking) {
		w.store(ctx, asking, nil, nil)
		return
	}
	c, problem := w.read(text)
	problems := make(map[int]*Error, len(asking))
	for _, i := range asking {
		problems[i] = problem
		if problem == nil && w.steps[i].action == ask {
			problems[i] = w.suits(i, c)
		}
	}
	w.store(ctx, asking, c, problems)
	for _, i := range named {
		w.received[i] = c
	}
}

func (w *work) allTell(asking []int) bool {
	for _, i := range asking {
		if w.steps[i].action != tell {
			return false
		}
	}
	return true
}

// request makes one request that names those recipients and returns the iCalendar
// text of the answer.
func (w *work) request(ctx context.Context, named []int) (string, *Error) {
	var addresses []string
	for _, i := range named {
		addresses = append(addresses, w.to[i].Address.String())
	}
	leave, problem := w.pass(ctx, StageCreate, func(r *run) gate { return r.requests })
	if problem != nil {
		return "", problem
	}
	ended := w.observe(ctx, Event{Stage: StageCreate})
	answer, err := w.call(w.observingWaits(ctx, StageCreate), addresses)
	if err != nil {
		problem = apiError(ctx, err)
		if stopped := w.run.cause(); stopped != nil && errors.Is(err, cronofy.ErrStopped) {
			problem = notBegun(StageCreate, stopped)
		}
		if problem.StopsRun {
			w.run.stop(problem)
		}
	}
	ended(problem)
	leave()
	if problem != nil {
		return "", problem
	}
	w.tellOtherID(answer.SmartInviteID)
	w.answer = answer
	if removed := answer.Attachments.Removed; w.Method == Remove && removed != nil {
		return removed.ICalendar, nil
	}
	return answer.Attachments.ICalendar, nil
}

func (w *work) call(ctx context.Context, addresses []string) (*cronofy.SmartInvite, error) {
	ref := cronofy.Ref{SmartInviteID: w.ID}
	r := &cronofy.InviteRequest{SmartInviteID: w.ID, CallbackURL: w.callback(w.m), Event: w.Event}
	if w.single || w.Method == Remove {
		ref.Recipient = addresses[0]
		r.Recipient = &cronofy.Recipient{Email: addresses[0]}
	} else {
		ref.Recipients = addresses
		for _, a := range addresses {
			r.Recipients = append(r.Recipients, cronofy.Recipient{Email: a})
		}
	}
	if isSet(w.organizer) {
		r.Organizer = &cronofy.Organizer{Name: w.organizer.Name, Email: w.organizer.Address.String()}
	}
	switch w.Method {
	case Cancel:
		return w.api.Cancel(ctx, ref)
	case Remove:
		return w.api.Remove(ctx, ref)
	}
	return w.api.Create(ctx, r)
}

// read reads the received text and holds it against what was asked for.
func (w *work) read(text string) (*calendar.Calendar, *Error) {
	if strings.TrimSpace(text) == "" {
		return nil, &Error{Stage: StageCalendar, Code: CodeNoCalendar, Field: "attachments.icalendar",
			Message: "the API's answer has no iCalendar text, so there is nothing to mail; look at the invite at Cronofy"}
	}
	c, err := w.m.readCalendar(text)
	if err != nil {
		return nil, &Error{Stage: StageCalendar, Code: CodeUnreadable, Field: "attachments.icalendar", Err: err,
			Message: fmt.Sprintf("the iCalendar text from the API cannot be read: %v; no mail was sent", err)}
	}
	want := "REQUEST"
	if w.Method != Request {
		want = "CANCEL"
	}
	if c.Method != want {
		return c, &Error{Stage: StageCalendar, Code: CodeWrongMethod, Field: "attachments.icalendar",
			Message: fmt.Sprintf("the iCalendar text from the API has METHOD %q where %s was asked for; mail clients would not show it, so it was not sent", c.Method, want)}
	}
	if c.UID == "" {
		return c, &Error{Stage: StageCalendar, Code: CodeNoUID, Field: "attachments.icalendar",
			Message: "the iCalendar text from the API has no UID, without which no client can keep the event; it was not sent"}
	}
	return c, nil
}

func (m *Mailer) readCalendar(text string) (*calendar.Calendar, error) {
	return calendar.Read(text)
}

// suits says why the calendar must not be mailed to recipient i.
func (w *work) suits(i int, c *calendar.Calendar) *Error {
	if !c.HasAttendee(w.to[i].Address.String()) {
		return &Error{Stage: StageCalendar, Code: CodeWrongRecipient, Field: "attachments.icalendar",
			Message: "the iCalendar text from the API does not name the recipient as ATTENDEE; clients would show no buttons, so it was not sent"}
	}
	before := w.entries[i].LastSent
	if before == nil {
		return nil
	}
	if before.Method != Request {
		return nil // cancelled before: a new series may begin
	}
	if before.UID != c.UID {
		return &Error{Stage: StageCalendar, Code: CodeUIDChanged, Field: "attachments.icalendar",
			Message: "the iCalendar text from the API has another UID than the invitation that was sent, so the recipient would have the event twice; cancel the invite first, or give the event another id"}
	}
	grew := c.Sequence > before.Sequence
	if w.Method == Request {
		if c.Sequence < before.Sequence || !grew && c.DTStamp.Before(before.DTStamp) {
			return &Error{Stage: StageCalendar, Code: CodeStale, Field: "attachments.icalendar",
				Message: fmt.Sprintf("the iCalendar text from the API is older than what was sent (SEQUENCE %d after %d); clients would ignore it, so it was not sent", c.Sequence, before.Sequence)}
		}
	} else if !grew {
		w.receipts[i].Findings = addOnce(w.receipts[i].Findings, Finding{Rule: "IM38", Level: LevelWarning,
			Message: fmt.Sprintf("the cancellation has SEQUENCE %d, which is not above that of the invitation (%d); some clients may ignore it", c.Sequence, before.Sequence)})
	}
	return nil
}

// refuse ends everybody the failed request was for, and records it unless the
// run stops or stopped: a refused key says nothing of the invite.
func (w *work) refuse(ctx context.Context, asking []int, problem *Error) {
	if !problem.StopsRun && problem.Code != CodeCancelled && problem.Code != CodeNotBegun {
		problems := make(map[int]*Error, len(asking))
		for _, i := range asking {
			problems[i] = problem
		}
		w.store(ctx, asking, nil, problems)
		return
	}
	for _, i := range asking {
		w.end(i, Deferred, problem)
	}
}

// store records, in one write, the revision of everybody the request was for:
// the calendar, or why there is none to be mailed. The latter are ended.
func (w *work) store(ctx context.Context, asking []int, c *calendar.Calendar, problems map[int]*Error) {
	made := make([]ledger.NewRevision, 0, len(asking))
	for _, i := range asking {
		made = append(made, w.made(i, c, problems[i]))
	}
	ctx, cancel := finishing(ctx)
	defer cancel()
	var err error
	if w.ledger != nil && len(made) > 0 {
		err = w.ledger.Create(ctx, w.claim, made...)
	}
	for _, i := range asking {
		r := &w.receipts[i]
		if c != nil {
			r.UID, r.Sequence = c.UID, &c.Sequence
		}
		r.MessageID, r.Reply, r.Attempts = "", "", 0
		switch problem := problems[i]; {
		case err != nil:
			w.end(i, Deferred, ledgerError(ctx, err))
		case problem == nil:
		case problem.Temporary:
			w.end(i, Deferred, problem)
		default:
			w.end(i, Failed, problem)
		}
	}
}

func (w *work) made(i int, c *calendar.Calendar, problem *Error) ledger.NewRevision {
	e := &w.entries[i]
	rev := ledger.Revision{
		Kind: w.steps[i].kind, Method: w.Method, Fingerprint: w.prints[i],
		OrganizerName: w.organizer.Name, OrganizerEmail: w.organizer.Address.Key(), OrganizerDefault: w.organizerDefault,
		State: ledger.Created,
	}
	made := ledger.NewRevision{Key: w.keys[i], Recipient: w.to[i].Address.String(), Grouped: !w.single, EndsAt: w.endsAt()}
	if w.Method == Remove && e.Known {
		made.Grouped = e.Grouped
	}
	if c != nil {
		rev.Calendar, rev.UID, rev.Sequence, rev.DTStamp = c.Bytes(), c.UID, c.Sequence, c.DTStamp
		if made.EndsAt.IsZero() && c.RecurrenceRule == "" {
			made.EndsAt = c.End
		}
		if w.Method == Request {
			made.AsksAnew, rev.Answer = w.m.asksAnew(e, c), statusIn(w.answer, w.to[i].Address)
		}
	}
	switch {
	case problem != nil:
		rev.State = ledger.Failed
		if problem.Temporary {
			rev.State = ledger.Deferred
		}
		rev.Permanent, rev.Unusable = problem.Permanent, c != nil
		rev.Stage, rev.Code, rev.Detail = problem.Stage, problem.Code, problem.Message
	case w.steps[i].action == tell:
		rev.State = ledger.Settled
	}
	made.Revision = rev
	return made
}

// apiError says in the pipeline's terms what became of a request.
func apiError(ctx context.Context, err error) *Error {
	e := &Error{Stage: StageCreate, Code: CodeServer, Err: err, Message: err.Error()}
	if ctx.Err() != nil {
		return interrupted(ctx, StageCreate)
	}
	var failure *cronofy.Error
	if !errors.As(err, &failure) {
		return e
	}
	e.Temporary, _ = failure.Retryable()
	e.RetryAfter = failure.RetryAfter
	switch failure.Status {
	case http.StatusUnprocessableEntity:
		e.Code, e.Permanent = CodeRejected, true
	case http.StatusUnauthorized:
		e.Code, e.StopsRun = CodeUnauthorized, true
	case http.StatusPaymentRequired:
		e.Code, e.StopsRun = CodePlan, true
	case http.StatusForbidden:
		e.Code, e.StopsRun = CodeForbidden, true
	case http.StatusNotFound:
		e.Code = CodeNotFound
	case http.StatusTooManyRequests:
		e.Code = CodeRateLimited
	case 0:
		e.Code = CodeTransport
		if failure.NoHost {
			e.Code, e.StopsRun = CodeUnreachable, true
		}
	}
	return e
}
