package cronofytest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/zone"
)

// What a recipient can have answered.
const (
	statusPending   = "pending"
	statusAccepted  = "accepted"
	statusTentative = "tentative"
	statusDeclined  = "declined"
)

// Invite is a Smart Invite as it stands, for pages and tests.
type Invite struct {
	ID string
	// UID identifies the event in its calendars.
	UID string
	// Multi is set for an invite made with recipients, in the plural.
	Multi      bool
	Recipients []Participant
	// Replies are the last answers, one for each person, also of people who were not invited
	// themselves.
	Replies     []Participant
	CallbackURL string
	Summary     string
	// Start and End are instants; with AllDay, midnights in UTC. TZID is the zone to show them in.
	Start, End time.Time
	AllDay     bool
	TZID       string
	Organizer  Organizer
	Sequence   int
	Cancelled  bool
	// ChangedAt is the DTSTAMP of the last calendar.
	ChangedAt time.Time
}

// Participant is a person with an answer.
type Participant struct {
	Email    string    `json:"email"`
	Status   string    `json:"status"` // pending, accepted, tentative or declined
	Comment  string    `json:"comment,omitempty"`
	Proposal *Proposal `json:"proposal,omitempty"`
}

// Proposal is another time that a recipient asks for.
type Proposal struct {
	Start, End time.Time
	// TZID is an IANA time zone; empty means Etc/UTC.
	TZID string
}

// MarshalJSON writes the documented {"start": {"time", "tzid"}, "end": …}, times with the offset
// of their zone.
func (p *Proposal) MarshalJSON() ([]byte, error) {
	tzid := cmp.Or(p.TZID, "Etc/UTC")
	loc, ok := zone.Load(tzid)
	if !ok {
		return nil, fmt.Errorf("time zone of a proposal: %q is unknown", tzid)
	}
	type local struct {
		Time string `json:"time"`
		TZID string `json:"tzid"`
	}
	at := func(t time.Time) local { return local{t.In(loc).Format("2006-01-02T15:04:05-07:00"), tzid} }
	return json.Marshal(map[string]local{"start": at(p.Start), "end": at(p.End)})
}

// Organizer is who invites: the CN and the address of the ORGANIZER property.
type Organizer struct{ Name, Email string }

// Invites returns all invites, sorted by the start of the event, then by id and address. What it
// returns is shared: do not change it.
func (s *Server) Invites() []Invite {
	s.mu.RLock()
	out := make([]Invite, 0, len(s.invites))
	for _, i := range s.invites {
		out = append(out, i.Invite)
	}
	s.mu.RUnlock()
	slices.SortFunc(out, func(a, b Invite) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID), cmp.Compare(a.UID, b.UID))
	})
	return out
}

// Organizers returns the addresses that invites have had as their organizer, sorted. Mail to them
// may be an answer, see [Server.Reply].
func (s *Server) Organizers() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.organizers))
}

// inviteKey tells invites apart; the address is empty if they were made for several recipients.
type inviteKey struct{ id, email string }

// uid is the same for all revisions and tells nothing about a person, as RFC 7986 §5.3 asks. It
// has the form of a UUID of version 8.
func (k inviteKey) uid() string {
	h := sha256.Sum256(fmt.Appendf(nil, "cronofytest %q %q", k.id, k.email))
	h[6] = h[6]&0x0f | 0x80
	h[8] = h[8]&0x3f | 0x80
	digits := hex.EncodeToString(h[:16])
	return strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-")
}

// invite is the state of a Smart Invite. Once stored, it is replaced and never changed, so that it
// can be read without the lock.
type invite struct {
	Invite
	secret      string // the key it was last changed with
	event       *cronofy.Event
	fingerprint string               // of event and organizer
	mailed      map[string]time.Time // DTSTAMP of the last answer by mail, by folded address
}

func (i *invite) key() inviteKey {
	if i.Multi {
		return inviteKey{id: i.ID}
	}
	return inviteKey{id: i.ID, email: fold(i.Recipients[0].Email)}
}

// fold is the form in which addresses are compared.
func fold(email string) string { return strings.ToLower(email) }

// index finds a person, -1 if there is none with that address.
func index(people []Participant, email string) int {
	return slices.IndexFunc(people, func(p Participant) bool { return fold(p.Email) == fold(email) })
}

// stamp makes DTSTAMP newer than before, by a second at least.
func (i *invite) stamp(previous, now time.Time) {
	i.ChangedAt = now.UTC().Truncate(time.Second)
	if !i.ChangedAt.After(previous) {
		i.ChangedAt = previous.Add(time.Second)
	}
}

// sameRecipients tells whether both invites name the same people, in whatever order.
func sameRecipients(a, b *invite) bool {
	return len(a.Recipients) == len(b.Recipients) && !slices.ContainsFunc(a.Recipients,
		func(p Participant) bool { return index(b.Recipients, p.Email) < 0 })
}

func (s *Server) upsert(c *command, key string, now time.Time) answer {
	e := c.Event
	next := &invite{secret: key, event: e, mailed: map[string]time.Time{}, Invite: Invite{
		ID: c.SmartInviteID, Multi: c.isMulti(), CallbackURL: c.CallbackURL, Organizer: s.options.DefaultOrganizer,
		Summary: e.Summary, Start: e.Start.Time, End: e.End.Time, AllDay: e.Start.DateOnly,
		TZID: cmp.Or(e.Start.TZID, e.TZID, "Etc/UTC"),
	}}
	e.TZID = "" // each time has its own
	if o := c.Organizer; o != nil {
		if strings.TrimSpace(o.Name) != "" {
			next.Organizer.Name = o.Name
		}
		next.Organizer.Email = cmp.Or(o.Email, next.Organizer.Email)
	}
	for _, email := range c.emails() {
		next.Recipients = append(next.Recipients, Participant{Email: email, Status: statusPending})
	}
	content, err := json.Marshal(e)
	if err != nil {
		return textAnswer(http.StatusInternalServerError, err.Error())
	}
	next.fingerprint = fmt.Sprintf("%q %q %s", next.Organizer.Name, next.Organizer.Email, content)
	at := next.key()
	next.UID = at.uid()

	s.mu.Lock()
	if old := s.invites[at]; old != nil {
		next.follow(old, now)
	} else {
		next.stamp(time.Time{}, now)
	}
	s.invites[at] = next
	s.uids[next.UID] = at
	s.organizers[next.Organizer.Email] = struct{}{}
	s.mu.Unlock()
	return next.answer(false, s.attach(next))
}

// follow takes over from old what an update keeps.
func (i *invite) follow(old *invite, now time.Time) {
	i.Sequence = old.Sequence
	if old.Cancelled || i.fingerprint != old.fingerprint || !sameRecipients(i, old) {
		i.Sequence++
	}
	i.stamp(old.ChangedAt, now)
	if old.Cancelled || !old.Start.Equal(i.Start) || !old.End.Equal(i.End) {
		return
	}
	i.Replies, i.mailed = old.Replies, old.mailed
	for n, p := range i.Recipients {
		if was := index(old.Recipients, p.Email); was >= 0 {
			i.Recipients[n] = old.Recipients[was]
			i.Recipients[n].Email = p.Email
		}
	}
}

func (s *Server) cancel(c *command, now time.Time) answer {
	key, emails := inviteKey{id: c.SmartInviteID}, c.emails()
	if !c.isMulti() {
		key.email = fold(emails[0])
	}
	next, refusal := s.change(key, now, func(next *invite) *answer {
		for _, email := range emails {
			if index(next.Recipients, email) < 0 {
				return notFound()
			}
		}
		if len(emails) < len(next.Recipients) {
			return refuse("recipients", "errors.incomplete",
				"must name all who are invited; use remove for one of them")
		}
		if !next.Cancelled {
			next.Sequence++
		}
		next.Cancelled = true
		next.CallbackURL = cmp.Or(c.CallbackURL, next.CallbackURL)
		return nil
	})
	if refusal != nil {
		return *refusal
	}
	return next.answer(false, s.attach(next))
}

// remove takes one recipient out of an invite for several.
func (s *Server) remove(c *command, now time.Time) answer {
	next, refusal := s.change(inviteKey{id: c.SmartInviteID}, now, func(next *invite) *answer {
		at := index(next.Recipients, c.Recipient.Email)
		switch {
		case at < 0 || next.Cancelled:
			return notFound()
		case len(next.Recipients) == 1:
			return refuse("recipient.email", "errors.last_recipient", "is the last one: cancel instead")
		}
		next.Recipients = slices.Delete(slices.Clone(next.Recipients), at, at+1)
		next.Sequence++
		return nil
	})
	if refusal != nil {
		return *refusal
	}
	a := s.attach(next)
	a.Removed = &removed{Email: c.Recipient.Email}
	return next.answer(false, a)
}

// change stores what alter makes of a copy of an invite, with a newer DTSTAMP, unless alter
// refuses or there is no such invite.
func (s *Server) change(
	key inviteKey, now time.Time, alter func(next *invite) (refusal *answer),
) (*invite, *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.invites[key]
	if old == nil {
		return nil, notFound()
	}
	next := *old
	if refusal := alter(&next); refusal != nil {
		return nil, refusal
	}
	next.stamp(old.ChangedAt, now)
	s.invites[key] = &next
	return &next, nil
}

func (s *Server) status(query url.Values) answer {
	o, p := make(map[string]any, len(query)), problems{}
	for key, values := range query {
		o[key] = values[0]
		if len(values) > 1 {
			p.add(key, "errors.duplicate", "is given twice")
		}
	}
	statusFields(p, "", o)
	id, email := query.Get("smart_invite_id"), query.Get("recipient_email")
	s.mu.RLock()
	found := s.invites[inviteKey{id: id, email: fold(email)}]
	if found == nil && email == "" {
		for key := range s.invites {
			if key.id == id { // it is for one recipient
				p["recipient_email"] = []problem{{"errors.required", "required"}}
			}
		}
	}
	s.mu.RUnlock()
	switch {
	case len(p) > 0:
		return p.answer()
	case found == nil:
		return *notFound()
	case query.Get("include_ics") != "true":
		return found.answer(true, nil)
	}
	return found.answer(true, s.attach(found))
}

func notFound() *answer {
	a := textAnswer(http.StatusNotFound, "no such smart invite")
	return &a
}

// inviteAnswer is the documented response, its members in the documented order.
type inviteAnswer struct {
	Recipient     *Participant   `json:"recipient,omitempty"`
	Recipients    []Participant  `json:"recipients,omitempty"`
	Replies       *[]Participant `json:"replies,omitempty"`
	SmartInviteID string         `json:"smart_invite_id"`
	CallbackURL   string         `json:"callback_url,omitempty"`
	Event         *cronofy.Event `json:"event"`
	Attachments   *attachments   `json:"attachments,omitempty"`
}

type attachments struct {
	ICalendar *string  `json:"icalendar,omitempty"`
	Removed   *removed `json:"removed,omitempty"`
}

type removed struct {
	Email string `json:"email"`
}

// answer tells of the invite, with the replies if asked.
func (i *invite) answer(withReplies bool, a *attachments) answer {
	out := inviteAnswer{SmartInviteID: i.ID, CallbackURL: i.CallbackURL, Event: i.event, Attachments: a}
	if i.Multi {
		out.Recipients = i.Recipients
	} else {
		out.Recipient = &i.Recipients[0]
		if withReplies {
			replies := append([]Participant{}, i.Replies...)
			out.Replies = &replies
		}
	}
	return answer{invite: &out}
}

// attach writes the calendar.
func (s *Server) attach(i *invite) *attachments {
	return &attachments{ICalendar: new(i.calendar(s.options.CRLF))}
}
