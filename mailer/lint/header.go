package lint

import (
	"fmt"
	"io"
	"mime"
	"net/mail"
	"regexp"
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

// decoder decodes encoded-words (RFC 2047). A charset it does not know is passed through as it is.
var decoder = mime.WordDecoder{CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil }}

// decodeHeader returns a header value as a reader sees it.
func decodeHeader(s string) string {
	if plain, err := decoder.DecodeHeader(s); err == nil {
		return plain
	}
	return s
}

func parseMailboxes(value string) ([]mailbox, error) {
	if len(value) > maxAddresses {
		return nil, fmt.Errorf("the address list is longer than %d octets", maxAddresses)
	}
	parser := mail.AddressParser{WordDecoder: &decoder}
	list, err := parser.ParseList(value)
	if err != nil {
		return nil, fmt.Errorf("reading the addresses: %w", err)
	}
	boxes := make([]mailbox, 0, len(list))
	for _, a := range list {
		box := mailbox{name: a.Name, addr: a.Address}
		box.address, _ = address.Parse(a.Address)
		box.key = box.address.Key()
		boxes = append(boxes, box)
	}
	return boxes, nil
}

// domain returns what follows the last @.
func domain(key string) string { return key[strings.LastIndexByte(key, '@')+1:] }

// encodedWord is an encoded-word (RFC 2047 section 2) as far as its form goes.
var encodedWord = regexp.MustCompile(`(?s)=\?[^?]*\?[^?]*\?.*?\?=`)
