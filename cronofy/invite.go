package cronofy

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
)

// Status is a recipient's answer to a Smart Invite. One that this package does not name is passed on
// as it came.
type Status string

// The documented values of Status.
const (
	StatusPending   Status = "pending"   // no answer yet
	StatusAccepted  Status = "accepted"  // the recipient comes
	StatusTentative Status = "tentative" // the recipient may come
	StatusDeclined  Status = "declined"  // the recipient does not come
)

// wireRequest is the body of a POST.
type wireRequest struct {
	Method string `json:"method"`
	*InviteRequest
}

// Ref names one Smart Invite, which the API knows by its id together with its recipient. Set
// Recipient for an invite that was created with one, Recipients for one that was created with many,
// never both.
type Ref struct {
	SmartInviteID string
	Recipient     string   // address of the one recipient
	Recipients    []string // addresses of all recipients
}

// InviteRequest is what [Client.Create] sends: a new Smart Invite, or new
// content for one that exists under the same id and recipient.
type InviteRequest struct {
	// Recipient is the one person invited. Set this or Recipients, never both.
	Recipient *Recipient `json:"recipient,omitempty"`
	// Recipients are all persons invited. The API answers with one calendar for them.
	Recipients []Recipient `json:"recipients,omitempty"`
	// SmartInviteID is the caller's own identifier. Required.
	SmartInviteID string `json:"smart_invite_id"`
	// CallbackURL is where the API posts a [Callback] when a person answers.
	CallbackURL string `json:"callback_url,omitempty"`
	// Event is what the recipient is invited to. Required.
	Event *Event `json:"event,omitempty"`
	// Organizer is who invites. Without it the API uses the name of the
	// application and an address of the data center.
	Organizer *Organizer `json:"organizer,omitempty"`
}

// Recipient is a person who is invited. The API takes the address and nothing else.
type Recipient struct {
	Email string `json:"email"`
}

// Organizer is shown in the recipient's calendar as the one who invites. Mail
// to Email must be forwarded to Cronofy, or answers are lost; see
// https://docs.cronofy.com/developers/smart-invites/organizer-email/.
type Organizer struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// SmartInvite is the API's answer about one Smart Invite.
type SmartInvite struct {
	SmartInviteID string `json:"smart_invite_id,omitempty"`
	CallbackURL   string `json:"callback_url,omitempty"`
	// Method is not in the documented answer and not to be relied on: the METHOD inside the iCalendar
	// text decides.
	Method string `json:"method,omitempty"`
	// Recipient is set on an invite with one recipient, Recipients on one with many.
	Recipient  *Participant  `json:"recipient,omitempty"`
	Recipients []Participant `json:"recipients,omitempty"`
	// Replies are the answers of all, also of people the invite was forwarded to. Only
	// [Client.Status] returns them.
	Replies   []Participant `json:"replies,omitempty"`
	Event     *Event        `json:"event,omitempty"`
	Organizer *Organizer    `json:"organizer,omitempty"`
	// Attachments is empty in the answer of [Client.Status] unless asked for.
	Attachments Attachments `json:"attachments,omitzero"`
}

// Participant is one person's answer.
type Participant struct {
	Email  string `json:"email,omitempty"`
	Status Status `json:"status,omitempty"`
	// Comment is what the person wrote with the answer.
	Comment string `json:"comment,omitempty"`
	// Proposal is the other time that the person proposes, if any.
	Proposal *Proposal `json:"proposal,omitempty"`
}

// Proposal is another time for the event, proposed by a recipient.
type Proposal struct {
	Start EventTime `json:"start,omitzero"`
	End   EventTime `json:"end,omitzero"`
}

// Attachments are the files to send to the recipient.
type Attachments struct {
	// ICalendar is the iCalendar text to mail, with the API's line ends, which need not be CRLF.
	ICalendar string `json:"icalendar,omitempty"`
	// Removed is set in the answer of [Client.Remove].
	Removed *Removed `json:"removed,omitempty"`
}

// Removed tells who was taken off an invite with many recipients.
type Removed struct {
	Email string `json:"email,omitempty"`
	// ICalendar takes the event out of that person's calendar. It is not documented.
	ICalendar string `json:"icalendar,omitempty"`
}

// UnmarshalJSON reads the attachments object. An array stands for no
// attachments: some answers hold an empty one in place of the object.
func (a *Attachments) UnmarshalJSON(data []byte) error {
	*a = Attachments{}
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		return nil
	}
	var wire struct {
		ICalendar string          `json:"icalendar"`
		Removed   json.RawMessage `json:"removed"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	a.ICalendar = wire.ICalendar
	if bytes.HasPrefix(wire.Removed, []byte("{")) {
		return json.Unmarshal(wire.Removed, &a.Removed)
	}
	return nil
}

// UnmarshalJSON reads an answer. A field of the event, which is an echo, in an unknown form goes to
// Event.Extra.
func (s *SmartInvite) UnmarshalJSON(data []byte) error {
	type plain SmartInvite
	wire := struct {
		*plain
		Event *echoedEvent `json:"event"`
	}{plain: (*plain)(s)}
	*s = SmartInvite{}
	err := json.Unmarshal(data, &wire)
	s.Event = (*Event)(wire.Event)
	return err
}

const bothRecipients = "recipient and recipients are both set: use one of them"

// check lists what keeps r from being sent at all. What the API itself checks is left to it.
func (r *InviteRequest) check() []string {
	if r == nil {
		return []string{"the request is nil"}
	}
	problems := checkID(r.SmartInviteID)
	if r.Recipient != nil && r.Recipient.Email == "" {
		problems = append(problems, "recipient.email is missing")
	}
	addresses := make([]string, 0, len(r.Recipients))
	for _, recipient := range r.Recipients {
		addresses = append(addresses, recipient.Email)
	}
	problems = append(problems, checkRecipients(r.Recipient != nil, addresses)...)
	if r.Event == nil {
		problems = append(problems, "event is missing")
	}
	return problems
}

// check lists what keeps a cancellation from being sent.
func (r Ref) check() []string {
	return append(checkID(r.SmartInviteID), checkRecipients(r.Recipient != "", r.Recipients)...)
}

func checkID(id string) []string {
	if id == "" {
		return []string{"smart_invite_id is missing"}
	}
	return nil
}

// checkRecipients applies the rule "one or many, never both, never none".
func checkRecipients(one bool, many []string) []string {
	switch {
	case one && len(many) > 0:
		return []string{bothRecipients}
	case !one && len(many) == 0:
		return []string{"recipient is missing"}
	case slices.Contains(many, ""):
		return []string{"an entry of recipients has no address"}
	}
	return nil
}

// request is the request that names the same invite.
func (r Ref) request() *InviteRequest {
	request := &InviteRequest{SmartInviteID: r.SmartInviteID}
	if r.Recipient != "" {
		request.Recipient = &Recipient{Email: r.Recipient}
	}
	for _, address := range r.Recipients {
		request.Recipients = append(request.Recipients, Recipient{Email: address})
	}
	return request
}

// incomplete is the error for a request that is not sent.
func incomplete(problems ...string) *Error {
	e := &Error{Status: http.StatusUnprocessableEntity, Local: true}
	for _, problem := range problems {
		e.Problems = append(e.Problems, Problem{Description: problem})
	}
	return e
}
