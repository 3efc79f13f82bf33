package sqlite

import (
	"context"
	"database/sql"
	"iter"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// rsvpHistory is how many RSVPs of an invite are kept: more than a recipient gives,
// and few enough that callbacks which are replayed in turn do not fill the file.
const rsvpHistory = 100

const rsvpColumns = `a.number, a.status, a.comment, a.proposal_start, a.proposal_end, a.proposal_tzid,
	a.replier, a.reply_status, a.reply_comment, a.reply_start, a.reply_end, a.reply_tzid,
	a.source, a.at, a.delivered, a.awaited, a.revision, a.stale`

var (
	// What asks for an answer. The ones that a crash cut short may have left.
	questionsOf = `SELECT number, asks, answer, message_id <> '' AND (may_have_left OR state = 'submitting'),
			state = 'submitting' AND NOT may_have_left, submitted_at
		FROM revision WHERE invite = ? AND method = 'request' ORDER BY number`
	rsvpHistoryOf = `SELECT ` + rsvpColumns + ` FROM rsvp AS a WHERE a.invite = ? ORDER BY a.number`
	rsvpsOf       = `SELECT ` + rsvpColumns + `
		FROM invite AS i JOIN rsvp AS a ON a.invite = i.id` + oneInvite + ` ORDER BY a.number`
	putRSVP = `
		INSERT INTO rsvp (invite, number, status, comment, proposal_start, proposal_end, proposal_tzid,
			replier, reply_status, reply_comment, reply_start, reply_end, reply_tzid,
			source, at, delivered, awaited, revision, stale)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`
	setRSVP = `UPDATE invite SET rsvp = ?2 WHERE id = ?1`
	// The API is to be asked about it next.
	setUnasked = `UPDATE invite SET asked_at = NULL WHERE id = ?`
	trimRSVPs  = `DELETE FROM rsvp WHERE invite = ? AND number <= ?`
	// The callback that made it came again, and was answered.
	stopAwaiting = `UPDATE rsvp SET awaited = 0 WHERE invite = ? AND number = ? AND awaited`
	setDelivered = `
		UPDATE rsvp SET delivered = 1, awaited = awaited AND NOT ?4
		WHERE number = ?3
			AND invite = (SELECT id FROM invite WHERE application = ?5 AND invite_id = ?1 AND address = ?2)`
	setAsked = `
		UPDATE invite SET asked_at = ?3
		WHERE application = ?4 AND invite_id = ?1 AND (address = ?2 OR ?2 = '' AND grouped)
			AND coalesce(asked_at, 0) < ?3`
	// CROSS JOIN keeps the order (https://www.sqlite.org/optoverview.html#crossjoin):
	// few answers are not delivered.
	undeliveredPage = `SELECT i.id, ` + entryColumns + revisions + `
		WHERE i.id IN (SELECT DISTINCT u.invite FROM rsvp AS u CROSS JOIN invite AS v ON v.id = u.invite
			WHERE NOT u.delivered AND u.invite > ?1 AND v.application = ?3 ORDER BY u.invite LIMIT ?2) ORDER BY i.id`
	upcomingPage = `SELECT i.id, coalesce(i.asked_at, 0), ` + entryColumns + revisions + `
		JOIN revision AS m ON m.id = i.last_sent
		WHERE i.application = ?6
			AND coalesce(i.asked_at, 0) >= ?1 AND (coalesce(i.asked_at, 0) > ?1 OR i.id > ?2)
			AND coalesce(i.asked_at, 0) < ?3
			AND (i.ends_at IS NULL OR i.ends_at > ?4) AND m.kind IN ('invitation', 'update')
		ORDER BY coalesce(i.asked_at, 0), i.id LIMIT ?5`
)

// RecordRSVP adds an answer to an invite to its history, in one durable transaction, if it is news
// by the rules of [ledger.History] or possibly stale, and tells what the latest was before. Number
// and Revision are given by the ledger, and At if it is zero. An invite that is not on record or is
// forgotten is not known; nothing is written then.
//
// Of each invite the last hundred RSVPs are kept.
func (l *Ledger) RecordRSVP(ctx context.Context, key ledger.Key, r ledger.RSVP) (done ledger.Recorded, err error) {
	err = l.write(ctx, "recording an answer", true, func(c *conn) (err error) {
		done, err = l.record(c, key, r)
		return err
	})
	if err != nil {
		return ledger.Recorded{}, err
	}
	return done, nil
}

func (l *Ledger) record(c *conn, key ledger.Key, r ledger.RSVP) (done ledger.Recorded, err error) {
	var invite int64
	if known, err := c.get([]any{&invite}, findID, l.application, key.InviteID, key.Address); err != nil || !known {
		return done, err
	}
	h, err := historyOf(c, invite)
	if err != nil {
		return done, err
	}
	if r.At.IsZero() {
		r.At = l.now()
	}
	judged := h.Judge(r)
	done = ledger.Recorded{Known: true, Verdict: judged.Verdict, Before: h.Latest()}
	switch {
	case judged.Repeats != 0:
		err = c.exec(stopAwaiting, invite, judged.Repeats)
	case judged.Records:
		r.Revision, r.Stale = judged.Revision, judged.Verdict == ledger.PossiblyStale
		err = h.add(c, invite, r)
	}
	return done, err
}

// askAnew records that a mail that has left and asks anew is not answered yet.
func (l *Ledger) askAnew(c *conn, held *held) error {
	if held.rsvp == 0 {
		return nil
	}
	h, err := historyOf(c, held.invite)
	if err != nil {
		return err
	}
	if r, ok := h.Update(l.now()); ok {
		return h.add(c, held.invite, r)
	}
	return nil
}

// RSVPs are the answers to an invite, oldest first.
func (l *Ledger) RSVPs(ctx context.Context, key ledger.Key) ([]ledger.RSVP, error) {
	var h history
	if err := l.read(ctx, "looking up answers", func(c *conn) error {
		return c.query(rsvpsOf, h.row, l.application, key.InviteID, key.Address)
	}); err != nil {
		return nil, err
	}
	if len(h.RSVPs) == 0 {
		return nil, nil
	}
	all := make([]ledger.RSVP, len(h.RSVPs))
	for i := range h.RSVPs {
		all[i] = h.RSVPs[i].RSVP
	}
	return all, nil
}

// RSVPDelivered marks an RSVP as taken by the application, and its callback as answered if it is:
// it will not come again. To do it twice, or for one that is not kept any more, does no harm.
func (l *Ledger) RSVPDelivered(ctx context.Context, key ledger.Key, number int64, answered bool) error {
	return l.write(ctx, "recording that an answer was delivered", true, func(c *conn) error {
		return c.exec(setDelivered, key.InviteID, key.Address, number, answered, l.application)
	})
}

// Asked records when the API was asked about an invite. An empty address stands
// for all the recipients of an invite that was made for several.
func (l *Ledger) Asked(ctx context.Context, key ledger.Key, at time.Time) error {
	return l.write(ctx, "recording that the API was asked", true, func(c *conn) error {
		return c.exec(setAsked, key.InviteID, key.Address, at, l.application)
	})
}

// Upcoming yields the invites whose event is not over at now, whose invitation
// left, or may have left, with no cancellation after it, and about which the API
// was not asked at or after askedBefore. First come those that it was never asked
// about, then those that it was asked about the longest ago. An event whose end is
// not known, as one that recurs, is not over. It reads like [Ledger.List].
func (l *Ledger) Upcoming(ctx context.Context, now, askedBefore time.Time) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		asked, id := int64(0), int64(0)
		l.pages(ctx, "listing upcoming invites", yield, func(c *conn, s *scanner) error {
			return c.query(upcomingPage, func(rows *sql.Rows) error { return s.rowAfter(rows, &id, &asked) },
				asked, id, askedBefore, now, page, l.application)
		})
	}
}

// Undelivered yields the invites of which an RSVP is recorded that the application has
// not taken yet. It reads like [Ledger.List].
func (l *Ledger) Undelivered(ctx context.Context) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		id := int64(0)
		l.pages(ctx, "listing answers that are not delivered", yield, func(c *conn, s *scanner) error {
			return c.query(undeliveredPage, func(rows *sql.Rows) error { return s.rowAfter(rows, &id) },
				id, page, l.application)
		})
	}
}

// history is what the file says of an invite's answers.
type history struct{ ledger.History }

func historyOf(c *conn, invite int64) (h history, err error) {
	if err := c.query(rsvpHistoryOf, h.row, invite); err != nil {
		return h, err
	}
	return h, c.query(questionsOf, func(rows *sql.Rows) error {
		var q ledger.Question
		err := rows.Scan(&q.Number, &q.Asks, &q.Answer, &q.Left, &q.Leaving, (*micros)(&q.LeftAt))
		h.Questions = append(h.Questions, q)
		return err
	}, invite)
}

func (h *history) row(rows *sql.Rows) error {
	var row rsvpRow
	err := rows.Scan(row.fields()...)
	h.RSVPs = append(h.RSVPs, *row.rsvp())
	return err
}

// add writes an RSVP as the next of the history.
func (h *history) add(c *conn, invite int64, r ledger.RSVP) error {
	r.Number = 1
	if n := len(h.RSVPs); n > 0 {
		r.Number = h.RSVPs[n-1].Number + 1
	}
	var proposal, reply ledger.Proposal
	if r.Proposal != nil {
		proposal = *r.Proposal
	}
	var other ledger.Reply
	if r.Reply != nil {
		other = *r.Reply
	}
	if other.Proposal != nil {
		reply = *other.Proposal
	}
	awaited := r.Source == ledger.SourceCallback && !r.Delivered && !r.Stale
	var id int64
	_, err := c.get([]any{&id}, putRSVP, invite, r.Number,
		r.Status, r.Comment, proposal.Start, proposal.End, proposal.TZID,
		r.By, other.Status, other.Comment, reply.Start, reply.End, reply.TZID,
		r.Source, r.At, r.Delivered || r.Stale, awaited, r.Revision, r.Stale)
	if err != nil {
		return err
	}
	if !r.Stale {
		if err := c.exec(setRSVP, invite, id); err != nil {
			return err
		}
	}
	if r.Stale || r.Source == ledger.SourceUpdate {
		if err := c.exec(setUnasked, invite); err != nil {
			return err
		}
	}
	if len(h.RSVPs) >= rsvpHistory {
		err = c.exec(trimRSVPs, invite, r.Number-rsvpHistory)
	}
	return err
}

// rsvpRow is what rsvpColumns are scanned to.
type rsvpRow struct {
	ledger.StoredRSVP
	proposal, replyProposal ledger.Proposal
	reply                   ledger.Reply
}

// fields are all NULL where there is no RSVP.
func (h *rsvpRow) fields() []any {
	return []any{
		nullable(&h.Number), nullable(&h.Status), nullable(&h.Comment),
		(*micros)(&h.proposal.Start), (*micros)(&h.proposal.End), nullable(&h.proposal.TZID),
		nullable(&h.By), nullable(&h.reply.Status), nullable(&h.reply.Comment),
		(*micros)(&h.replyProposal.Start), (*micros)(&h.replyProposal.End), nullable(&h.replyProposal.TZID),
		nullable(&h.Source), (*micros)(&h.At), nullable(&h.Delivered), nullable(&h.Awaited),
		nullable(&h.Revision), nullable(&h.Stale),
	}
}

func (h *rsvpRow) rsvp() *ledger.StoredRSVP {
	if h.proposal != (ledger.Proposal{}) {
		h.Proposal = &h.proposal
	}
	if h.replyProposal != (ledger.Proposal{}) {
		h.reply.Proposal = &h.replyProposal
	}
	if h.By != "" {
		h.Reply = &h.reply
	}
	return &h.StoredRSVP
}
