package mailer

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// create asks the API for all whose plan needs it, and records the calendar that comes back. Those
// for whom it went wrong are ended.
func (j *job) create(ctx context.Context) {
	var asking []*recipient
	for _, to := range j.pending() {
		if to.calendar != nil && j.ledger == nil {
			continue // a second try, and what came at the first is good
		}
		if a := to.plan.action; a == createAndMail || a == createOnly {
			asking = append(asking, to)
		}
	}
	if len(asking) == 0 {
		return
	}
	if j.Method == Remove { // which takes one recipient at a time
		for i, to := range asking {
			j.createFor(ctx, asking[i:i+1], asking[i:i+1])
			if e := to.receipt.Error; e != nil && e.StopsRun {
				j.deferAll(notBegun(StageCreate, e))
				return
			}
		}
		return
	}
	if len(asking) < len(j.pending()) {
		// The new calendar is the better one for those, too, whose earlier one was not mailed yet,
		// except where bytes may have left.
		for _, to := range j.pending() {
			if p := &to.plan; p.action == mailStored && p.resend == 0 {
				p.action = createAndMail
				asking = append(asking, to)
			}
		}
	}
	var named []*recipient
	for _, to := range j.recipients {
		if e := to.receipt.Error; e == nil || e.Code != codeNotAllowed {
			named = append(named, to)
		}
	}
	j.createFor(ctx, named, asking)
}

// createFor makes the one request that names those in named, for those in asking.
func (j *job) createFor(ctx context.Context, named, asking []*recipient) {
	text, problem := j.request(ctx, named)
	if problem != nil && problem.Code == codeNotFound {
		for _, to := range asking {
			if j.Method == Remove && invited(to.entry) { // it was removed before
				to.plan, to.receipt.Kind = plan{action: createOnly, kind: None}, None
			}
		}
		if allCreateOnly(asking) {
			problem = nil // the API does not know it: it is as cancelled as can be
		}
	}
	switch {
	case problem != nil && (problem.StopsRun || problem.Code == codeCancelled || problem.Code == CodeNotBegun):
		// Nothing is recorded: a refused key says nothing of the invite.
		for _, to := range asking {
			j.end(to, Deferred, problem)
		}
		return
	case problem != nil, allCreateOnly(asking):
		j.record(ctx, asking, nil, func(*recipient) *Error { return problem })
		return
	}
	c, problem := j.readAnswer(text)
	j.record(ctx, asking, c, func(to *recipient) *Error {
		if problem == nil && to.plan.action == createAndMail {
			return j.checkCalendar(to, c)
		}
		return problem
	})
	for _, to := range named {
		to.calendar = c
	}
}

func allCreateOnly(asking []*recipient) bool {
	return !slices.ContainsFunc(asking, func(to *recipient) bool { return to.plan.action != createOnly })
}

// request makes one request that names those recipients and returns the iCalendar text of the answer.
func (j *job) request(ctx context.Context, named []*recipient) (string, *Error) {
	leave, problem := j.pass(ctx, StageCreate, j.run.requests)
	if problem != nil {
		return "", problem
	}
	defer leave()
	ended := j.observe(ctx, Event{Stage: StageCreate})
	answer, err := j.call(j.observingWaits(ctx, StageCreate), named)
	if err != nil {
		problem = apiError(ctx, err)
		if stopped := j.run.cause(); stopped != nil && errors.Is(err, cronofy.ErrStopped) {
			problem = notBegun(StageCreate, stopped)
		}
		if problem.StopsRun {
			j.run.stop(problem)
		}
	}
	ended(problem)
	if problem != nil {
		return "", problem
	}
	j.warnOtherID(answer.SmartInviteID)
	j.answer = answer
	if removed := answer.Attachments.Removed; j.Method == Remove && removed != nil {
		return removed.ICalendar, nil
	}
	return answer.Attachments.ICalendar, nil
}

func (j *job) call(ctx context.Context, named []*recipient) (*cronofy.SmartInvite, error) {
	ref := cronofy.Ref{SmartInviteID: j.ID}
	r := &cronofy.InviteRequest{SmartInviteID: j.ID, CallbackURL: j.callback(), Event: j.Event}
	if j.single || j.Method == Remove {
		ref.Recipient = named[0].mailbox.Address.String()
		r.Recipient = &cronofy.Recipient{Email: ref.Recipient}
	} else {
		for _, to := range named {
			ref.Recipients = append(ref.Recipients, to.mailbox.Address.String())
			r.Recipients = append(r.Recipients, cronofy.Recipient{Email: to.mailbox.Address.String()})
		}
	}
	if isSet(j.organizer) {
		r.Organizer = &cronofy.Organizer{Name: j.organizer.Name, Email: j.organizer.Address.String()}
	}
	switch j.Method {
	case Cancel:
		return j.run.api.Cancel(ctx, ref)
	case Remove:
		return j.run.api.Remove(ctx, ref)
	default:
		return j.run.api.Create(ctx, r)
	}
}

// record records, in one write, the revision of all that the request was for: the calendar, or the
// problem why there is none to be mailed. The latter are ended.
func (j *job) record(ctx context.Context, asking []*recipient, c *calendar.Calendar,
	problemOf func(*recipient) *Error) {
	problems := make([]*Error, len(asking))
	added := make([]ledger.NewRevision, len(asking))
	for i, to := range asking {
		problems[i] = problemOf(to)
		added[i] = j.newRevision(to, c, problems[i])
	}
	failed := j.add(ctx, added...)
	for i, to := range asking {
		r := &to.receipt
		if c != nil {
			r.UID, r.Sequence = c.UID, &c.Sequence
		}
		r.MessageID, r.Reply, r.Attempts = "", "", 0
		switch problem := cmp.Or(failed, problems[i]); {
		case problem == nil:
		case failed != nil, problem.Temporary:
			j.end(to, Deferred, problem)
		default:
			j.end(to, Failed, problem)
		}
	}
}

func (j *job) newRevision(to *recipient, c *calendar.Calendar, problem *Error) ledger.NewRevision {
	added := to.wanted
	r := &added.Revision
	r.Kind, r.State = to.plan.kind, ledger.Created
	if j.Method == Remove && to.entry.Known {
		added.Grouped = to.entry.Grouped
	}
	if c != nil {
		r.Calendar, r.UID, r.Sequence, r.DTStamp = c.Bytes(), c.UID, c.Sequence, c.DTStamp
		if added.EndsAt.IsZero() && c.RecurrenceRule == "" {
			added.EndsAt = c.End
		}
		if j.Method == Request {
			added.AsksAnew, r.Answer = asksAnew(&to.entry, c), statusIn(j.answer, to.mailbox.Address)
		}
	}
	switch {
	case problem != nil:
		r.State = ledger.Failed
		if problem.Temporary {
			r.State = ledger.Deferred
		}
		r.Permanent, r.Unusable = problem.Permanent, c != nil
		r.Stage, r.Code, r.Detail = problem.Stage, problem.Code, problem.Message
	case to.plan.action == createOnly:
		r.State = ledger.Settled
	}
	return added
}

func apiError(ctx context.Context, err error) *Error {
	if ctx.Err() != nil {
		return interrupted(ctx, StageCreate)
	}
	e := &Error{Stage: StageCreate, Code: codeServer, Err: err, Message: err.Error()}
	failure, ok := errors.AsType[*cronofy.Error](err)
	if !ok {
		return e
	}
	e.Temporary, _ = failure.Retryable()
	e.RetryAfter = failure.RetryAfter
	e.Code = cmp.Or(statusCodes[failure.Status], codeServer)
	if failure.Status == 0 && failure.NoHost {
		e.Code = CodeUnreachable
	}
	e.Permanent = e.Code == CodeRejected
	e.StopsRun = slices.Contains([]Code{CodeUnauthorized, codePlan, codeForbidden, CodeUnreachable}, e.Code)
	return e
}

// statusCodes has the codes of the API's answers; 0 is none at all.
var statusCodes = map[int]Code{0: codeTransport, http.StatusUnauthorized: CodeUnauthorized,
	http.StatusPaymentRequired: codePlan, http.StatusForbidden: codeForbidden, http.StatusNotFound: codeNotFound,
	http.StatusUnprocessableEntity: CodeRejected, http.StatusTooManyRequests: codeRateLimited}
