package sqlite

import "github.com/invitemailer/invitemailer/mailer/ledger"

var (
	// No row: the claim does not hold the invite. All NULL: it is not known yet.
	findHeld = `SELECT i.id, i.latest, i.last_sent, i.first_message_id,
			r.number, r.state, r.uid, r.message_id, r.may_have_left,
			r.asks, s.asks, i.rsvp
		FROM claim AS c
		LEFT JOIN invite AS i ON i.application = c.application AND i.invite_id = c.invite_id AND i.address = c.address
		LEFT JOIN revision AS r ON r.id = i.latest
		LEFT JOIN revision AS s ON s.id = i.last_sent
		WHERE c.application = ? AND c.invite_id = ? AND c.address = ? AND c.token = ?`
	findLastSent = `
		SELECT max(id) FROM revision WHERE invite = ? AND message_id <> '' AND (may_have_left OR state = 'submitting')`
)

// held is an invite that a claim holds, as far as a write must know it. It is read
// once, before anything is changed; what follows from that is worked out here
// rather than asked of the file.
type held struct {
	invite int64 // 0: not known yet
	latest int64 // its latest revision, and what is known of that:
	number int64
	state  ledger.State
	uid    string
	// messageID is that of the latest revision's latest submission; left: one of
	// its submissions did, or may have, whatever the state says of the last.
	messageID string
	left      bool
	asks      int64 // as in ledger.Revision

	lastAsks int64 // that of the last revision that was sent
	rsvp     int64 // the latest RSVP; 0: none

	mails
	stored mails // as they stand in the file
}

// mails are an invite's facts that follow from those of its revisions.
type mails struct {
	first    string // Message-ID of the first mail that left or may have left
	lastSent int64  // the latest revision that may have left; 0: none
}

// hold finds an invite for a write in the name of a claim. Whether that has run
// out does not matter as long as nobody took over.
func (l *Ledger) hold(c *conn, claim ledger.Claim, key ledger.Key) (h held, err error) {
	found, err := c.get([]any{
		nullable(&h.invite), nullable(&h.latest), nullable(&h.lastSent), nullable(&h.first),
		nullable(&h.number), nullable(&h.state), nullable(&h.uid), nullable(&h.messageID), nullable(&h.left),
		nullable(&h.asks), nullable(&h.lastAsks), nullable(&h.rsvp),
	}, findHeld, l.application, key.InviteID, key.Address, claim.Token)
	h.stored = h.mails
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

// settle takes note of a submission that a crash cut short, before it is written
// over: it may have left. It tells whether there was one.
func (h *held) settle() (crashed bool) {
	if h.state != ledger.Submitting {
		return false
	}
	h.left = true
	h.mailed()
	return true
}

// mailed settles who was mailed first: once, by the first submission that ended,
// or was found, as one that may have left.
func (h *held) mailed() {
	if h.first == "" && h.left {
		h.first = h.messageID
	}
}

// giveWay makes room for a new revision. What brought no calendar and no mail says
// nothing once it was tried again: a service that is down for a day must not fill
// the file, nor an event that is over and still changes.
func (h *held) giveWay(c *conn) error {
	if h.settle() {
		return c.exec(setLeft, h.latest)
	}
	if h.uid == "" && h.messageID == "" && (h.state == ledger.Deferred || h.state == ledger.Failed || h.state == ledger.Expired) {
		h.number--
		return c.exec(dropRevision, h.latest)
	}
	return nil
}

// conclude brings the invite's facts in line with its latest revision, which was
// written, and drops the contents that are no longer needed.
func (h *held) conclude(c *conn) error {
	h.mailed()
	if err := h.setMails(c); err != nil || h.number == 1 {
		return err
	}
	for _, s := range []string{dropCalendars, dropMessages} {
		if err := c.exec(s, h.invite); err != nil {
			return err
		}
	}
	return nil
}

// setMails writes what has changed of the mails, the latest revision written.
func (h *held) setMails(c *conn) error {
	switch mayHaveLeft := h.messageID != "" && (h.left || h.state == ledger.Submitting); {
	case mayHaveLeft:
		h.lastSent = h.latest
	case h.lastSent == h.latest: // but did not leave after all
		if _, err := c.get([]any{nullable(&h.lastSent)}, findLastSent, h.invite); err != nil {
			return err
		}
	}
	if h.mails == h.stored {
		return nil
	}
	return c.exec(setMails, h.first, h.lastSent, h.invite)
}
