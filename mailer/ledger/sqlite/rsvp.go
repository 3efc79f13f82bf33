package sqlite

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// rsvpHistory is how many RSVPs of an invite are kept: more than anybody gives,
// and few enough that callbacks which are replayed in turn do not fill the file.
const rsvpHistory = 100

// repeated is for how long the API repeats a callback that was not answered with
// success. It says so of its other callbacks
// (https://docs.cronofy.com/developers/api/push-notifications/).
const repeated = 24 * time.Hour

const rsvpColumns = `a.number int, a.status text, a.comment text, a.proposal_start time, a.proposal_end time, a.proposal_tzid text,
	a.replier text, a.reply_status text, a.reply_comment text, a.reply_start time, a.reply_end time, a.reply_tzid text,
	a.source text, a.at time, a.delivered int, a.awaited int`

var (
	rsvpHistoryOf = &statement{`SELECT ` + pack(columns{list: rsvpColumns}) + ` FROM rsvp AS a WHERE a.invite = ? ORDER BY a.number`}
	rsvpsOf       = &statement{`SELECT ` + pack(columns{list: rsvpColumns}) + ` FROM invite AS i JOIN rsvp AS a ON a.invite = i.id` + oneInvite + ` ORDER BY a.number`}
	putRSVP       = &statement{`
		INSERT INTO rsvp (invite, number, status, comment, proposal_start, proposal_end, proposal_tzid,
			replier, reply_status, reply_comment, reply_start, reply_end, reply_tzid, source, at, delivered, awaited)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		RETURNING id`}
	setRSVP   = &statement{`UPDATE invite SET rsvp = ?2 WHERE id = ?1`}
	trimRSVPs = &statement{`DELETE FROM rsvp WHERE invite = ? AND number <= ?`}
	// The callback that made it came again, and was answered.
	stopAwaiting = &statement{`UPDATE rsvp SET awaited = 0 WHERE invite = ? AND number = ? AND awaited`}
	setDelivered = &statement{`
		UPDATE rsvp SET delivered = 1, awaited = awaited AND NOT ?4
		WHERE number = ?3 AND invite = (SELECT id FROM invite WHERE application = ?5 AND invite_id = ?1 AND address = ?2)`}
	setAsked = &statement{`
		UPDATE invite SET asked_at = ?3
		WHERE application = ?4 AND invite_id = ?1 AND (address = ?2 OR ?2 = '' AND grouped) AND coalesce(asked_at, 0) < ?3`}
	upcomingPage = &statement{`SELECT i.id, coalesce(i.asked_at, 0), ` + entryColumns + revisions + `
		JOIN revision AS m ON m.id = i.last_sent
		WHERE i.application = ?6 AND coalesce(i.asked_at, 0) >= ?1 AND (coalesce(i.asked_at, 0) > ?1 OR i.id > ?2) AND coalesce(i.asked_at, 0) < ?3
			AND (i.ends_at IS NULL OR i.ends_at > ?4) AND m.kind IN ('invitation', 'update')
		ORDER BY coalesce(i.asked_at, 0), i.id LIMIT ?5`}
)

// RecordRSVP adds what was heard of an invite to its history, in one durable
// transaction, and tells what was the latest before (nil if nothing was heard).
// Number is given by the ledger, and At if it is zero. Known is false for an
// invite that was never heard of or is forgotten; nothing is written then.
//
// Nothing changes, so that it can be repeated at will, if
//   - it says the same as the latest, and nothing new of who replied instead of
//     the recipient. Pending is nothing new where nothing was heard;
//   - it is a callback that says the same as an earlier one of which the
//     application did not take the change, within a day: that one is repeated, and
//     what came in between is newer;
//   - it is a status that the API was asked for (At) before the latest came.
//
// Of each invite the last hundred RSVPs are kept.
func (l *Ledger) RecordRSVP(ctx context.Context, key ledger.Key, r ledger.RSVP) (before *ledger.RSVP, changed, known bool, err error) {
	var result recorded
	if err := l.write(ctx, "recording an answer", power, func(c *conn) (err error) {
		result, err = l.record(c, key, r)
		return err
	}); err != nil {
		return nil, false, false, err
	}
	return result.before, result.changed, result.known, nil
}

// recorded is what became of an RSVP.
type recorded struct {
	before         *ledger.RSVP
	changed, known bool
}

func (l *Ledger) record(c *conn, key ledger.Key, r ledger.RSVP) (done recorded, err error) {
	var invite int64
	if err := c.query(findID, func(rec *record) error {
		invite = rec.int64()
		return nil
	}, l.application, key.InviteID, key.Address); err != nil || invite == 0 {
		return done, err
	}
	done.known = true
	var h history
	if err := c.query(rsvpHistoryOf, h.row, invite); err != nil {
		return done, err
	}
	if r.At.IsZero() {
		r.At = l.now()
	}
	if n := len(h.rsvps); n > 0 {
		done.before = &h.rsvps[n-1]
	}
	if late := h.late(r); late >= 0 {
		_, err := c.exec(stopAwaiting, invite, h.rsvps[late].Number)
		return done, err
	}
	if !h.news(r) {
		if h.answered(r) {
			_, err = c.exec(stopAwaiting, invite, done.before.Number)
		}
		return done, err
	}
	r.Number = 1
	if done.before != nil {
		r.Number = done.before.Number + 1
	}
	awaited := r.Source == ledger.SourceCallback && !r.Delivered
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
	var id int64
	if err := c.query(putRSVP, func(rec *record) error {
		id = rec.int64()
		return nil
	}, invite, r.Number, r.Status, r.Comment, proposal.Start, proposal.End, proposal.TZID,
		r.By, other.Status, other.Comment, reply.Start, reply.End, reply.TZID,
		r.Source, r.At, r.Delivered, awaited); err != nil {
		return done, err
	}
	if _, err := c.exec(setRSVP, invite, id); err != nil {
		return done, err
	}
	if len(h.rsvps) >= rsvpHistory {
		if _, err := c.exec(trimRSVPs, invite, r.Number-rsvpHistory); err != nil {
			return done, err
		}
	}
	done.changed = true
	return done, nil
}

// RSVPs is what was heard of an invite, oldest first.
func (l *Ledger) RSVPs(ctx context.Context, key ledger.Key) ([]ledger.RSVP, error) {
	var h history
	if err := l.read(ctx, "looking up answers", func(c *conn) error {
		return c.query(rsvpsOf, h.row, l.application, key.InviteID, key.Address)
	}); err != nil {
		return nil, err
	}
	return h.rsvps, nil
}

// RSVPDelivered marks an RSVP as taken by the application, and its callback as
// answered if it is: it will not come again. To do it twice, or for one that is
// not kept any more, does no harm.
func (l *Ledger) RSVPDelivered(ctx context.Context, key ledger.Key, number int64, answered bool) error {
	return l.write(ctx, "recording that an answer was delivered", power, func(c *conn) error {
		_, err := c.exec(setDelivered, key.InviteID, key.Address, number, answered, l.application)
		return err
	})
}

// Asked records when the API was asked about an invite. An empty address stands
// for all the recipients of an invite that was made for several.
func (l *Ledger) Asked(ctx context.Context, key ledger.Key, at time.Time) error {
	return l.write(ctx, "recording that the API was asked", power, func(c *conn) error {
		_, err := c.exec(setAsked, key.InviteID, key.Address, at, l.application)
		return err
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
			return c.query(upcomingPage, func(r *record) error {
				id, asked = r.int64(), r.int64()
				return s.row(r)
			}, asked, id, askedBefore, now, page, l.application)
		})
	}
}

// history is the RSVPs of an invite, oldest first, and which of them came by a
// callback that will come again.
type history struct {
	rsvps   []ledger.RSVP
	awaited []bool
}

func (h *history) row(r *record) error {
	p := unpack(r.text())
	rsvp, awaited := unpackRSVP(&p)
	h.rsvps = append(h.rsvps, rsvp)
	h.awaited = append(h.awaited, awaited)
	return nil
}

// late finds the RSVP, other than the latest, whose callback r is the repeat of.
func (h *history) late(r ledger.RSVP) (index int) {
	if r.Source != ledger.SourceCallback {
		return -1
	}
	for i, old := range h.rsvps {
		if h.awaited[i] && i < len(h.rsvps)-1 && r.At.Sub(old.At) < repeated && old.SameState(r) && old.SameReply(r) {
			return i
		}
	}
	return -1
}

// answered tells whether r is the repeat of the latest one's callback, and the last.
func (h *history) answered(r ledger.RSVP) bool {
	n := len(h.rsvps) - 1
	return n >= 0 && h.awaited[n] && h.rsvps[n].Delivered && r.Source == ledger.SourceCallback &&
		h.rsvps[n].SameState(r) && h.rsvps[n].SameReply(r)
}

// news tells whether r says anything that the history does not.
func (h *history) news(r ledger.RSVP) bool {
	latest := ledger.RSVP{Status: ledger.StatusPending}
	if n := len(h.rsvps); n > 0 {
		latest = h.rsvps[n-1]
		if r.Source == ledger.SourceStatus && latest.At.After(r.At) {
			return false
		}
	}
	if !r.SameState(latest) {
		return true
	}
	if r.By == "" {
		return false
	}
	for _, old := range slices.Backward(h.rsvps) {
		if old.By == r.By {
			return !old.SameReply(r)
		}
	}
	return true
}

func unpackRSVP(p *packed) (r ledger.RSVP, awaited bool) {
	r = ledger.RSVP{Number: p.int64(), Status: p.text(), Comment: p.text(), Proposal: unpackProposal(p), By: p.text()}
	reply := ledger.Reply{Status: p.text(), Comment: p.text(), Proposal: unpackProposal(p)}
	if r.By != "" {
		r.Reply = &reply
	}
	r.Source, r.At, r.Delivered = p.text(), p.time(), p.bool()
	return r, p.bool()
}

func unpackProposal(p *packed) *ledger.Proposal {
	proposal := ledger.Proposal{Start: p.time(), End: p.time(), TZID: p.text()}
	if proposal == (ledger.Proposal{}) {
		return nil
	}
	return &proposal
}
