package sqlite

import "github.com/invitemailer/invitemailer/mailer/ledger"

var (
	// No row: the claim does not hold the invite. All NULL: the invite is not known yet.
	findHeld = `
		SELECT i.id, i.latest, r.number, r.state, r.uid, r.message_id, s.asks, i.rsvp
		FROM claim AS c
		LEFT JOIN invite AS i ON i.application = c.application AND i.invite_id = c.invite_id AND i.address = c.address
		LEFT JOIN revision AS r ON r.id = i.latest
		LEFT JOIN revision AS s ON s.id = i.last_sent
		WHERE c.application = ? AND c.invite_id = ? AND c.address = ? AND c.token = ?`
	setLeft      = `UPDATE revision SET may_have_left = 1 WHERE id = ?`
	dropRevision = `DELETE FROM revision WHERE id = ?`
	// What of an invite follows from its revisions. The first mail is settled once, by the
	// first submission that ended, or was found, as one that may have left.
	setMails = `
		UPDATE invite SET
			first_message_id = coalesce(nullif(first_message_id, ''),
				(SELECT message_id FROM revision WHERE id = invite.latest AND may_have_left), ''),
			last_sent = (SELECT max(id) FROM revision
				WHERE invite = ?1 AND message_id <> '' AND (may_have_left OR state = 'submitting'))
		WHERE id = ?1`
	// Contents are kept of the latest revision and of the last that was sent.
	superseded = `(SELECT r.id FROM invite AS i JOIN revision AS r ON r.invite = i.id
		WHERE i.id = ? AND r.id <> i.latest AND r.id IS NOT i.last_sent)`
	dropCalendars = `DELETE FROM calendar WHERE revision IN ` + superseded
	dropMessages  = `DELETE FROM message WHERE revision IN ` + superseded
)

// held is an invite that a claim holds, as far as a write must know it.
type held struct {
	invite int64 // 0: not known yet
	latest int64 // its latest revision, and what is known of that:
	number int64
	state  ledger.State
	uid    string
	// messageID is that of the latest submission of the latest revision.
	messageID string
	lastAsks  int64 // Asks of the last revision that was sent
	rsvp      int64 // the latest RSVP; 0: none
}

// hold finds an invite for a write in the name of a claim. Whether that has run out does not
// matter as long as no other claim took its place.
func (l *Ledger) hold(c *conn, claim ledger.Claim, key ledger.Key) (h held, err error) {
	found, err := c.get([]any{
		nullable(&h.invite), nullable(&h.latest), nullable(&h.number), nullable(&h.state), nullable(&h.uid),
		nullable(&h.messageID), nullable(&h.lastAsks), nullable(&h.rsvp),
	}, findHeld, l.application, key.InviteID, key.Address, claim.Token)
	if err == nil && !found {
		err = ledger.ErrClaimLost
	}
	return h, err
}

// holdRevision is hold for an invite that must have a revision.
func (l *Ledger) holdRevision(c *conn, claim ledger.Claim, key ledger.Key) (held, error) {
	h, err := l.hold(c, claim, key)
	if err == nil && h.invite == 0 {
		err = errNoRevision
	}
	return h, err
}

// settle records of a submission that a crash cut short that it may have left, before the next
// write hides it.
func (h *held) settle(c *conn) error {
	if h.state != ledger.Submitting {
		return nil
	}
	if err := c.exec(setLeft, h.latest); err != nil {
		return err
	}
	return c.exec(setMails, h.invite)
}

// giveWay makes room for a new revision. What brought no calendar and no mail says nothing once
// it was tried again: a service that is down for a day must not fill the file, nor an event that
// is over and still changes.
func (h *held) giveWay(c *conn) error {
	if h.uid == "" && h.messageID == "" &&
		(h.state == ledger.Deferred || h.state == ledger.Failed || h.state == ledger.Expired) {
		h.number--
		return c.exec(dropRevision, h.latest)
	}
	return h.settle(c)
}

// conclude ends a write that says how the latest revision stands.
func (l *Ledger) conclude(c *conn, h *held) error {
	for _, statement := range []string{setMails, dropCalendars, dropMessages} {
		if err := c.exec(statement, h.invite); err != nil {
			return err
		}
	}
	return l.askAnew(c, h)
}
