package lint

import (
	"fmt"
	"io"
	"mime"
	"net/mail"
	"strings"

	"github.com/invitemailer/invitemailer/internal/address"
)

// mailbox is one address of an address header.
type mailbox struct {
	name    string // decoded
	addr    string // as it stands
	address address.Address
	key     string // to compare by; "" if it is no address
}

// words decodes encoded-words (RFC 2047). A charset it does not know is passed through as it is.
var words = mime.WordDecoder{CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil }}

// decodeHeader returns a header value as a reader sees it.
func decodeHeader(s string) string {
	if !strings.Contains(s, "=?") {
		return s
	}
	if plain, err := words.DecodeHeader(s); err == nil {
		return plain
	}
	return s
}

// mailboxes reads all fields of that name; nil if there are none or they cannot be read.
func (d *document) mailboxes(name string) []mailbox {
	if all, ok := d.boxes[name]; ok {
		return all
	}
	var all []mailbox
	for i := range d.root.Fields {
		f := &d.root.Fields[i]
		if !strings.EqualFold(f.Name, name) {
			continue
		}
		boxes, _ := parseMailboxes(f.Value) // IM58 says what cannot be read
		all = append(all, boxes...)
	}
	d.boxes[name] = all
	return all
}

func parseMailboxes(value string) ([]mailbox, error) {
	if len(value) > maxAddresses {
		return nil, fmt.Errorf("the address list is longer than %d octets", maxAddresses)
	}
	parser := mail.AddressParser{WordDecoder: &words}
	list, err := parser.ParseList(value)
	if err != nil {
		return nil, fmt.Errorf("reading the addresses: %w", err)
	}
	boxes := make([]mailbox, 0, len(list))
	for _, a := range list {
		box := mailbox{name: a.Name, addr: a.Address}
		box.address, _ = parseAddress(a.Address)
		box.key = box.address.Key()
		boxes = append(boxes, box)
	}
	return boxes, nil
}

// domain returns what follows the last @.
func domain(key string) string { return key[strings.LastIndexByte(key, '@')+1:] }

// encodedWords yields the encoded-words of a value.
func encodedWords(value string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			start := strings.Index(value, "=?")
			if start < 0 {
				return
			}
			value = value[start:]
			// charset ? encoding ? text ?=
			n := 2
			for range 2 {
				q := strings.IndexByte(value[n:], '?')
				if q < 0 {
					return
				}
				n += q + 1
			}
			end := strings.Index(value[n:], "?=")
			if end < 0 {
				return
			}
			word := value[:n+end+2]
			if !yield(word) {
				return
			}
			value = value[len(word):]
		}
	}
}
