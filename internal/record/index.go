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
type index struct {
	ids     map[string]*named
	content canonical
}

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
	id, recipients := x.keys(item)
	if strings.TrimFunc(id, safetext.IsBlank) == "" || len(recipients) == 0 {
		return // the mailer refuses it; it is equal to nothing
	}
	now := content{sha256.Sum256(x.content.buf), line}
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
		// Of a table, both are parts of their row's text, which need not be kept.
		n = &named{line: line, group: item.Group != nil, first: strings.Clone(recipients[0]), content: now}
		x.ids[strings.Clone(id)] = n
	}
	for _, r := range recipients {
		if _, there := n.find(r); !there {
			if n.recipients == nil {
				n.recipients = make(map[string]content)
			}
			n.recipients[strings.Clone(r)] = now
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

// keys writes down the content of an item, and returns its id and the keys of
// its recipients.
func (x *index) keys(item *mailer.Item) (id string, recipients []string) {
	if g := item.Group; g != nil {
		x.content.group(g)
		for _, r := range g.Recipients {
			recipients = append(recipients, addressKey(r.Email))
		}
		return g.ID, recipients
	}
	i := item.Invite
	key := addressKey(i.Recipient.Email)
	x.content.invite(i, key)
	if key != "" {
		recipients = append(recipients, key)
	}
	return i.ID, recipients
}

func bothForms(group bool, first, line int) *mailer.Error {
	here, there := "recipient", "recipients"
	if group {
		here, there = there, here
	}
	return &mailer.Error{Stage: mailer.StageRead, Code: mailer.CodeFormChanged, Field: here,
		Message: fmt.Sprintf("this id has %s in line %d and %s here (line %d); use one form for one id", there, first, here, line)}
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
