package record

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer"
)

// index remembers which invites a file has named so far. Its memory grows with
// their number, by 150 octets or so for each: 15 MB for 100,000.
type index struct{ ids map[string]*named }

// named is an id that was named before.
type named struct {
	line       int // where it was first
	group      bool
	recipients map[string]content // by address, but for the first:
	first      string
	content
}

// content is what a record said of one recipient.
type content struct {
	sum  [sha256.Size]byte
	line int
}

func newIndex() index { return index{ids: make(map[string]*named)} }

// check holds an item, known by its id and each of its recipients, against those
// before it, and keeps it for those to come unless it is wrong.
func (x *index) check(item *mailer.Item, line int) {
	group := asGroup(item)
	id := group.ID
	var recipients []string
	for _, r := range group.Recipients {
		if key := addressKey(r.Email); key != "" || item.Group != nil {
			recipients = append(recipients, key)
		}
	}
	if strings.TrimFunc(id, safetext.IsBlank) == "" || len(recipients) == 0 {
		return // the mailer refuses it; it is equal to nothing
	}
	now := content{digest(group), line}
	n := x.ids[id]
	if n != nil && n.group != (item.Group != nil) {
		item.Err = bothForms(item.Group != nil, n.line, line)
		return
	}
	known := 0
	for _, r := range recipients {
		before, there := n.find(r)
		if there && before.sum != now.sum {
			item.Err = &mailer.Error{Stage: mailer.StageRead, Code: mailer.CodeDuplicate, Field: "smart_invite_id",
				Message: fmt.Sprintf("the same invite with other content: its first stands in line %d; keep one of the two (line %d)", before.line, line)}
			return
		}
		if there {
			known++
		}
	}
	item.Repeats = known == len(recipients)
	if n == nil {
		// Most ids have one recipient, who needs no map.
		n = &named{line: line, group: item.Group != nil, first: recipients[0], content: now}
		x.ids[id] = n
	}
	for _, r := range recipients {
		if _, there := n.find(r); !there {
			if n.recipients == nil {
				n.recipients = make(map[string]content)
			}
			n.recipients[r] = now
		}
	}
}

// find returns what was said of a recipient before.
func (n *named) find(recipient string) (before content, there bool) {
	switch {
	case n == nil:
		return content{}, false
	case n.first == recipient:
		return n.content, true
	}
	before, there = n.recipients[recipient]
	return before, there
}

// asGroup is an item as if it were a group.
func asGroup(item *mailer.Item) mailer.Group {
	if item.Group != nil {
		return *item.Group
	}
	i := item.Invite
	return mailer.Group{ID: i.ID, Method: i.Method, Recipients: []mailer.Recipient{i.Recipient}, Event: i.Event,
		Organizer: i.Organizer, CallbackURL: i.CallbackURL, Mail: i.Mail}
}

func bothForms(group bool, first, line int) *mailer.Error {
	here, there := "recipient", "recipients"
	if group {
		here, there = there, here
	}
	return &mailer.Error{Stage: mailer.StageRead, Code: mailer.CodeFormChanged, Field: here,
		Message: fmt.Sprintf("this id has %s in line %d and %s here (line %d); use one form for one id", there, first,
			here, line)}
}

// addressKey is what one person's address is known by, however it is written.
// What is no address only has to be told from the others here.
func addressKey(email string) string {
	a, err := address.Parse(email)
	if err != nil {
		return strings.ToLower(email)
	}
	return a.Key()
}
