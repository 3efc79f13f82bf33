package record

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math/bits"
	"strings"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/address"
)

// index remembers which invites a file has named so far: for each record a hash
// of what it is known by, a hash of its content, and its line. The hashes have a
// seed of their own in every run, so that nobody can make two of them collide;
// by chance, any two of a million records do with a probability below 1e-7.
type index struct {
	seed    maphash.Seed
	shards  [shards]table
	content canonical
	who     memo
}

// shards keeps a table small, so that little is copied when it grows.
const shards = 16

func newIndex() index { return index{seed: maphash.MakeSeed()} }

// check holds an item against those before it. A group is known by its id; of
// several invites with one id, each by its recipient.
func (x *index) check(item *mailer.Item, line int) {
	var id, who string
	if g := item.Group; g != nil {
		id = g.ID
	} else {
		id, who = item.Invite.ID, x.who.key(item.Invite.Recipient.Email)
	}
	if strings.TrimSpace(id) == "" || item.Group == nil && who == "" {
		return // it is invalid, and equal to nothing
	}
	e := entry{
		key:     maphash.String(x.seed, id),
		group:   item.Group != nil,
		who:     maphash.String(x.seed, who) >> 16,
		content: maphash.Bytes(x.seed, x.content.of(item, who)) >> 16,
		line:    uint32(line), //nolint:gosec // more lines than that do not fit into a day
	}
	first, known := x.find(e)
	switch {
	case !known:
		return
	case first.group != e.group:
		item.Err = bothForms(e.group, first.line)
		return
	case !e.group && first.who != e.who: // another recipient of that id
		var both [16]byte
		binary.LittleEndian.PutUint64(both[:], e.key)
		binary.LittleEndian.PutUint64(both[8:], e.who)
		e.key = maphash.Bytes(x.seed, both[:])
		if first, known = x.find(e); !known {
			return
		}
	}
	if first.content != e.content {
		item.Err = &mailer.Error{Stage: mailer.StageRead, Code: mailer.CodeDuplicate, Field: "smart_invite_id",
			Message: fmt.Sprintf("the same invite with other content: its first stands in line %d; keep one of the two (line %d)", first.line, line)}
		return
	}
	item.Repeats = true
}

func bothForms(group bool, first uint32) *mailer.Error {
	here, there := "recipient", "recipients"
	if group {
		here, there = there, here
	}
	return &mailer.Error{Stage: mailer.StageRead, Code: mailer.CodeFormChanged, Field: here,
		Message: fmt.Sprintf("this id has %s in line %d and %s here; use one form for one id", there, first, here)}
}

// find returns the entry of that key, or puts in the one that it is given.
func (x *index) find(e entry) (first entry, known bool) {
	if e.key == 0 {
		e.key = 1 // 0 is an empty slot
	}
	return x.shards[e.key%shards].find(e)
}

// entry is a record in the index.
type entry struct {
	key     uint64
	who     uint64 // 48 bits
	content uint64 // 48 bits
	group   bool
	line    uint32 // 31 bits
}

// slot is an entry in 24 octets.
type slot struct {
	key  uint64
	high uint64 // who, and the upper third of content
	low  uint32 // the rest of content
	line uint32 // and one bit for group
}

func (e entry) pack() slot {
	s := slot{key: e.key, high: e.who<<16 | e.content>>32, low: uint32(e.content), line: e.line << 1} //nolint:gosec // cut off on purpose
	if e.group {
		s.line |= 1
	}
	return s
}

func (s slot) unpack() entry {
	return entry{key: s.key, who: s.high >> 16, content: s.high&0xffff<<32 | uint64(s.low), group: s.line&1 == 1, line: s.line >> 1}
}

// table is a hash table that grows by a quarter, with open addressing. A map
// would take more than twice the memory.
type table struct {
	slots []slot
	used  int
}

func (t *table) find(e entry) (entry, bool) {
	if t.used >= len(t.slots)/8*7 {
		t.grow()
	}
	at := t.at(e.key)
	if t.slots[at].key == e.key {
		return t.slots[at].unpack(), true
	}
	t.slots[at] = e.pack()
	t.used++
	return e, false
}

// at is the slot of a key, or the empty one where it belongs.
func (t *table) at(key uint64) int {
	high, _ := bits.Mul64(key, uint64(len(t.slots)))
	at := int(high) //nolint:gosec // below len
	for t.slots[at].key != 0 && t.slots[at].key != key {
		if at++; at == len(t.slots) {
			at = 0
		}
	}
	return at
}

func (t *table) grow() {
	old := t.slots
	t.slots = make([]slot, max(16, len(old)+len(old)/4))
	for _, s := range old {
		if s.key != 0 {
			t.slots[t.at(s.key)] = s
		}
	}
}

// memo finds the key of an address. Only what is no address has to be told from
// everything else here; why it is none is for the mailer to say.
type memo struct{ last, lastKey string }

func (m *memo) key(email string) string {
	if email == m.last {
		return m.lastKey
	}
	key := strings.ToLower(email)
	if a, err := address.Parse(email); err == nil {
		key = a.Key()
	}
	m.last, m.lastKey = email, key
	return key
}
