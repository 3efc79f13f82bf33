package cronofytest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// inviteKey tells invites apart: by id and address, or by id alone if they were made for several recipients.
type inviteKey struct{ id, email string }

// invite is the state of a Smart Invite. It is never changed once stored: changes store another one, so that a calendar can be
// written from it without holding the lock.
type invite struct {
	id          string
	uid         string
	multi       bool
	recipients  []recipient
	replies     []recipient
	callbackURL string
	secret      string // the key it was last changed with
	event       *event
	organizer   Organizer
	fingerprint [sha256.Size]byte
	sequence    int
	stamp       time.Time
	cancelled   bool
}

func (i *invite) key() inviteKey {
	if i.multi {
		return inviteKey{id: i.id}
	}
	return inviteKey{id: i.id, email: fold(i.recipients[0].Email)}
}

// touch makes DTSTAMP newer than before: by the clock, or by the second that iCalendar can tell apart.
func (i *invite) touch(previous, now time.Time) {
	i.stamp = now.UTC().Truncate(time.Second)
	if !i.stamp.After(previous) {
		i.stamp = previous.Add(time.Second)
	}
}

func (i *invite) find(email string) int {
	return slices.IndexFunc(i.recipients, func(r recipient) bool { return fold(r.Email) == fold(email) })
}

// sameRecipients tells whether both lists name the same people, in whatever order.
func sameRecipients(a, b *invite) bool {
	if len(a.recipients) != len(b.recipients) {
		return false
	}
	for _, r := range a.recipients {
		if b.find(r.Email) < 0 {
			return false
		}
	}
	return true
}

func (s *Server) upsert(c command, key string, now time.Time, fault *Fault) answer {
	next := &invite{
		id: c.id, multi: c.multi, callbackURL: c.callbackURL, secret: key, event: c.event, organizer: c.organizer,
		recipients: make([]recipient, 0, len(c.emails)),
	}
	for _, email := range c.emails {
		next.recipients = append(next.recipients, recipient{Email: email, Status: statusPending})
	}
	next.fingerprint = sha256.Sum256(fmt.Appendf(nil, "%q %q %s", c.organizer.Name, c.organizer.Email, c.event.canonical()))

	at := next.key()
	next.uid = at.uid()

	s.mu.Lock()
	if old := s.invites[at]; old != nil {
		next.follow(old, now)
	} else {
		next.touch(time.Time{}, now)
	}
	s.invites[at] = next
	s.uids[next.uid] = at
	s.organizers[next.organizer.Email] = struct{}{}
	s.mu.Unlock()
	return next.answer(false, s.attach(next, fault))
}

// follow takes over from old what an update keeps.
func (i *invite) follow(old *invite, now time.Time) {
	i.sequence = old.sequence
	if old.cancelled || i.fingerprint != old.fingerprint || !sameRecipients(i, old) {
		i.sequence++
	}
	i.touch(old.stamp, now)
	if old.cancelled || !old.event.Start.instant.Equal(i.event.Start.instant) || !old.event.End.instant.Equal(i.event.End.instant) {
		return
	}
	i.replies = old.replies
	for n, r := range i.recipients {
		if was := old.find(r.Email); was >= 0 {
			i.recipients[n] = old.recipients[was]
			i.recipients[n].Email = r.Email
		}
	}
}

func (s *Server) cancel(c command, now time.Time, fault *Fault) answer {
	key := inviteKey{id: c.id}
	if !c.multi {
		key.email = fold(c.emails[0])
	}
	next, refusal := s.change(key, now, func(next *invite) *answer {
		for _, email := range c.emails {
			if next.find(email) < 0 {
				return refuse(notFound())
			}
		}
		if len(c.emails) < len(next.recipients) {
			p := problems{}
			p.add("recipients", "errors.incomplete", "must name all who are invited; use remove for one of them")
			return refuse(p.answer())
		}
		if !next.cancelled {
			next.sequence++
		}
		next.cancelled = true
		if c.callbackURL != "" {
			next.callbackURL = c.callbackURL
		}
		return nil
	})
	if refusal != nil {
		return *refusal
	}
	return next.answer(false, s.attach(next, fault))
}

// remove takes one recipient out of an invite for several.
func (s *Server) remove(c command, now time.Time, fault *Fault) answer {
	next, refusal := s.change(inviteKey{id: c.id}, now, func(next *invite) *answer {
		at := next.find(c.emails[0])
		switch {
		case at < 0 || next.cancelled:
			return refuse(notFound())
		case len(next.recipients) == 1:
			p := problems{}
			p.add("recipient.email", "errors.last_recipient", "is the last one: cancel instead")
			return refuse(p.answer())
		}
		next.recipients = slices.Delete(slices.Clone(next.recipients), at, at+1)
		next.sequence++
		return nil
	})
	if refusal != nil {
		return *refusal
	}
	a := s.attach(next, fault)
	a.Removed = &removed{Email: c.emails[0]}
	return next.answer(false, a)
}

// change stores what alter makes of a copy of an invite, with a newer DTSTAMP, unless alter refuses or there is no such invite.
func (s *Server) change(key inviteKey, now time.Time, alter func(next *invite) (refusal *answer)) (*invite, *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.invites[key]
	if old == nil {
		return nil, refuse(notFound())
	}
	next := *old
	if refusal := alter(&next); refusal != nil {
		return nil, refusal
	}
	next.touch(old.stamp, now)
	s.invites[key] = &next
	return &next, nil
}

func refuse(a answer) *answer { return &a }

func (s *Server) status(query url.Values, fault *Fault) answer {
	o := object{m: make(map[string]any, len(query)), p: problems{}}
	for key, values := range query {
		o.m[key] = values[0]
		if len(values) > 1 {
			o.p.add(key, "errors.duplicate", "is given twice")
		}
	}
	o.only("smart_invite_id", "recipient_email", "include_ics")
	id, email := o.requiredText("smart_invite_id"), o.text("recipient_email")
	switch o.text("include_ics") {
	case "", "true", "false":
	default:
		o.p.add("include_ics", "errors.must_be_boolean", "must be true or false")
	}
	s.mu.RLock()
	found := s.invites[inviteKey{id: id, email: fold(email)}]
	single := found == nil && email == "" && s.hasSingle(id)
	s.mu.RUnlock()
	if single {
		o.p.required("recipient_email")
	}
	if len(o.p) > 0 {
		return o.p.answer()
	}
	if found == nil {
		return notFound()
	}
	if o.text("include_ics") != "true" {
		return found.answer(true, nil)
	}
	return found.answer(true, s.attach(found, fault))
}

// hasSingle tells whether an invite for one recipient has this id.
func (s *Server) hasSingle(id string) bool {
	for key := range s.invites {
		if key.id == id && key.email != "" {
			return true
		}
	}
	return false
}

func notFound() answer { return textAnswer(http.StatusNotFound, "no such smart invite") }

// inviteAnswer is the documented response, its members in the documented order.
type inviteAnswer struct {
	Recipient     *recipient   `json:"recipient,omitempty"`
	Recipients    []recipient  `json:"recipients,omitempty"`
	Replies       *[]recipient `json:"replies,omitempty"`
	SmartInviteID string       `json:"smart_invite_id"`
	CallbackURL   string       `json:"callback_url,omitempty"`
	Event         *event       `json:"event"`
	Attachments   *attachments `json:"attachments,omitempty"`
}

type attachments struct {
	ICalendar *string  `json:"icalendar,omitempty"`
	Removed   *removed `json:"removed,omitempty"`
	list      bool
}

type removed struct {
	Email string `json:"email"`
}

// MarshalJSON writes an empty array where a fault asks for one.
func (a *attachments) MarshalJSON() ([]byte, error) {
	if a.list {
		return []byte("[]"), nil
	}
	type plain attachments
	return json.Marshal((*plain)(a))
}

// answer tells of the invite: with the replies if asked, and with attachments unless they are nil.
func (i *invite) answer(withReplies bool, a *attachments) answer {
	out := inviteAnswer{SmartInviteID: i.id, CallbackURL: i.callbackURL, Event: i.event, Attachments: a}
	if i.multi {
		out.Recipients = i.recipients
	} else {
		out.Recipient = &i.recipients[0]
		if withReplies {
			replies := append([]recipient{}, i.replies...)
			out.Replies = &replies
		}
	}
	return jsonAnswer(http.StatusOK, out)
}

// attach writes the calendar, with the fault asked for.
func (s *Server) attach(i *invite, fault *Fault) *attachments {
	c := newCalendar(i, &s.zones)
	if fault == nil {
		text := c.text(s.options.CRLF)
		return &attachments{ICalendar: &text}
	}
	if fault.model != nil {
		fault.model(c)
	}
	switch fault.shape {
	case attachedNone:
		return &attachments{}
	case attachedList:
		return &attachments{list: true}
	}
	text := c.text(s.options.CRLF)
	if fault.text != nil {
		text = fault.text(text)
	}
	return &attachments{ICalendar: &text}
}
