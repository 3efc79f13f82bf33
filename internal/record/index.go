package record

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer"
)

// index remembers which invites a file has named so far. Its memory grows with their number, by 200
// octets or so for each: 20 MB for 100,000.
type index struct {
	ids     map[string]first
	invites map[inviteKey]content
}

// first is where an id was named first, and whether for a group.
type first struct {
	line  int
	group bool
}

type inviteKey struct{ id, recipient string }

// content is what a record said of one recipient.
type content struct {
	sum  [sha256.Size]byte
	line int
}

func newIndex() index {
	return index{ids: make(map[string]first), invites: make(map[inviteKey]content)}
}

// check holds an item, known by its id and each of its recipients, against those before it, and
// keeps it for those to come unless it is wrong.
func (x *index) check(item *mailer.Item, group mailer.Group, line int) {
	var keys []inviteKey
	for _, r := range group.Recipients {
		if address := addressKey(r.Email); address != "" || item.Group != nil {
			keys = append(keys, inviteKey{group.ID, address})
		}
	}
	if strings.TrimFunc(group.ID, safetext.IsBlank) == "" || len(keys) == 0 {
		return // the mailer refuses it; it is equal to nothing
	}
	now := content{digest(group), line}
	id, there := x.ids[group.ID]
	if there && id.group != (item.Group != nil) {
		item.Err = bothForms(item.Group != nil, id.line, line)
		return
	}
	known := 0
	for _, key := range keys {
		before, there := x.invites[key]
		if there && before.sum != now.sum {
			item.Err = &mailer.Error{Stage: mailer.StageRead, Code: mailer.CodeDuplicate, Field: "smart_invite_id",
				Message: fmt.Sprintf("the same invite with other content: its first stands in line %d; keep one of the two (line %d)", before.line, line)}
			return
		}
		if there {
			known++
		}
	}
	item.Repeats = known == len(keys)
	if !there {
		x.ids[group.ID] = first{line, item.Group != nil}
	}
	for _, key := range keys {
		if _, there := x.invites[key]; !there {
			x.invites[key] = now
		}
	}
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

// addressKey is what one person's address is known by, however it is written. What is no address
// only has to be told from the others here.
func addressKey(email string) string {
	a, err := address.Parse(email)
	if err != nil {
		return strings.ToLower(email)
	}
	return a.Key()
}
