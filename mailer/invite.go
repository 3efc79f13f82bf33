package mailer

import (
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/message"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// Method is what an invite asks of the API, as the API calls it
// (https://docs.cronofy.com/developers/api/smart-invites/create-smart-invite/).
type Method = ledger.Method

// The methods of an invite. The zero Method is Request.
const (
	Request Method = "request" // invite, or tell of a change
	Cancel  Method = "cancel"  // the event does not take place
	Remove  Method = "remove"  // the event goes on without this recipient
)

// Kind is the mail that an invite gives rise to.
type Kind = ledger.Kind

// The kinds of mail. The first two carry METHOD:REQUEST, the next two METHOD:CANCEL (RFC 5546 section
// 3.2); None is no mail at all.
const (
	Invitation   Kind = "invitation"
	Update       Kind = "update"
	Cancellation Kind = "cancellation"
	Withdrawal   Kind = "withdrawal"
	None         Kind = "none"
)

// Invite is one event for one recipient, as the caller asks for it. It is known by ID and
// Recipient.Email.
type Invite struct {
	// ID is the caller's own identifier of the event, smart_invite_id at the API.
	ID        string
	Method    Method
	Recipient Recipient
	// Event is required to invite. The zone of its times is Event.TZID.
	Event *cronofy.Event
	// Organizer is who invites; nil takes Config.Organizer.
	Organizer *Organizer
	// CallbackURL is told the answers; "" takes Config.CallbackURL.
	CallbackURL string
	Mail        MailOptions
}

// Group is one event for several recipients: one Smart Invite, whose calendar names them all, and one
// mail, receipt and ledger row for each.
type Group struct {
	ID          string
	Method      Method
	Recipients  []Recipient
	Event       *cronofy.Event
	Organizer   *Organizer
	CallbackURL string
	Mail        MailOptions
}

// Recipient is who is invited. Only Email is told to the API.
type Recipient struct {
	Email  string
	Name   string // display name in the To header; optional
	Locale string // language of the mail, as a BCP 47 tag; optional
	TZID   string // the reader's zone, an IANA name; optional
}

// Organizer is who invites. Its address is the ORGANIZER of the calendar and, unless set otherwise,
// the From of the mail.
type Organizer struct {
	Name, Email string
}

// MailOptions shape the mail and are never told to the API.
type MailOptions struct {
	Subject  string         // instead of the template's
	Template string         // name of a set of templates
	Data     map[string]any // for the template
	ReplyTo  string         // an address people's replies go to
	Locale   string         // language, if the recipient has none
}

// group is the invite as the pipeline takes it: a group of one.
func (i *Invite) group() Group {
	return Group{ID: i.ID, Method: i.Method, Recipients: []Recipient{i.Recipient}, Event: i.Event,
		Organizer: i.Organizer, CallbackURL: i.CallbackURL, Mail: i.Mail}
}

// endsAt is when the event is over; zero if that is not known, as without an event or of a series.
func (g *Group) endsAt() time.Time {
	if g.Event == nil || len(g.Event.Extra["recurrence"]) > 0 {
		return time.Time{}
	}
	return g.Event.End.Time
}

func (o Organizer) mailbox() (message.Mailbox, error) {
	a, err := address.Parse(o.Email)
	if err != nil {
		return message.Mailbox{}, err
	}
	return message.Mailbox{Name: address.CleanName(o.Name, a), Address: a}, nil
}
