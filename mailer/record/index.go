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

// index remembers which invites a file has named so far: for each of them a
// hash of what it is known by, a hash of its content, and its line. The hashes
// have a seed of their own in every run, so that nobody can make two of them
// collide; by chance, any two of a million do with a probability below 1e-7.
type index struct {
	seed    maphash.Seed
	shards  [shards]table
	content canonical
	who     []uint64 // hashes of an item's recipients
}

// shards keeps a table small, so that little is copied when it grows.
const shards = 16

func newIndex() index { return index{seed: maphash.MakeSeed()} }

// check holds an item, known by its id and each of its recipients, against those
// before it, and keeps it for those to come unless it is wrong.
func (x *index) check(item *mailer.Item, line int) {
	id := x.keys(item)
	if strings.TrimSpace(id) == "" || len(x.who) == 0 {
		return // the mailer refuses it; it is equal to nothing
	}
	e := entry{
		key:     x.id(id),
		group:   item.Group != nil,
		content: maphash.Bytes(x.seed, x.content.buf) >> 16,
		line:    uint32(line), // a file of 2^31 lines cannot be sent in a lifetime
	}
	if first, known := x.get(e.key); known && first.group != e.group {
		item.Err = bothForms(e.group, first.line, line)
		return
	}
	known := 0
	for _, e.who = range x.who {
		first, there := x.find(e)
		if there && first.content != e.content {
			item.Err = &mailer.Error{Stage: mailer.StageRead, Code: mailer.CodeDuplicate, Field: "smart_invite_id",
				Message: fmt.Sprintf("the same invite with other content: its first stands in line %d; keep one of the two (line %d)", first.line, line)}
			return
		}
		if there {
			known++
		}
	}
	item.Repeats = known == len(x.who)
	for _, e.who = range x.who {
		if first, there := x.find(e); !there {
			key := e
			key.key = first.key
			x.put(key)
		}
	}
}

// keys writes down the content of an item and the hashes of its recipients, and
// returns its id.
func (x *index) keys(item *mailer.Item) (id string) {
	x.who = x.who[:0]
	if g := item.Group; g != nil {
		x.content.group(g)
		for _, r := range g.Recipients {
			x.who = append(x.who, x.recipient(addressKey(r.Email)))
		}
		return g.ID
	}
	i := item.Invite
	key := addressKey(i.Recipient.Email)
	x.content.invite(i, key)
	if key != "" {
		x.who = append(x.who, x.recipient(key))
	}
	return i.ID
}

// id is the hash of an id; 0 is an empty slot.
func (x *index) id(id string) uint64 { return max(1, maphash.String(x.seed, id)) }

func (x *index) recipient(key string) uint64 { return maphash.String(x.seed, key) >> 16 }

// find looks for the id and recipient of e. The first recipient of an id stands
// under the id alone, the others under both: most ids have one recipient. If it
// is not there, the key of the result is where it belongs.
func (x *index) find(e entry) (first entry, known bool) {
	first, known = x.get(e.key)
	if !known || first.who == e.who {
		return first, known
	}
	var both [16]byte
	binary.LittleEndian.PutUint64(both[:], e.key)
	binary.LittleEndian.PutUint64(both[8:], e.who)
	return x.get(max(1, maphash.Bytes(x.seed, both[:])))
}

func (x *index) get(key uint64) (entry, bool) {
	s, known := x.shards[key%shards].get(key)
	return s.unpack(), known
}

func (x *index) put(e entry) { x.shards[e.key%shards].put(e.pack()) }

func bothForms(group bool, first uint32, line int) *mailer.Error {
	here, there := "recipient", "recipients"
	if group {
		here, there = there, here
	}
	return &mailer.Error{Stage: mailer.StageRead, Code: mailer.CodeFormChanged, Field: here,
		Message: fmt.Sprintf("this id has %s in line %d and %s here (line %d); use one form for one id", there, first, here, line)}
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
	s := slot{key: e.key, high: e.who<<16 | e.content>>32, low: uint32(e.content), line: e.line << 1} // cut off on purpose
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

func (t *table) get(key uint64) (slot, bool) {
	if len(t.slots) == 0 {
		return slot{key: key}, false
	}
	s := t.slots[t.at(key)]
	known := s.key == key
	s.key = key
	return s, known
}

// put adds a slot whose key is not there.
func (t *table) put(s slot) {
	if t.used >= len(t.slots)/8*7 {
		old := t.slots
		t.slots = make([]slot, max(16, len(old)+len(old)/4))
		for _, s := range old {
			if s.key != 0 {
				t.slots[t.at(s.key)] = s
			}
		}
	}
	t.slots[t.at(s.key)] = s
	t.used++
}

// at is the slot of a key, or the empty one where it belongs.
func (t *table) at(key uint64) int {
	high, _ := bits.Mul64(key, uint64(len(t.slots)))
	at := int(high) // below len
	for t.slots[at].key != 0 && t.slots[at].key != key {
		if at++; at == len(t.slots) {
			at = 0
		}
	}
	return at
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
