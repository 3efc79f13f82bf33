package message

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strconv"
	"strings"
)

// ID returns the Message-ID, without angle brackets, of the mail about one revision of one invite:
// the same revision has the same ID wherever and whenever it is composed, so that a mail that is
// submitted twice can be known for what it is, and no address can be read out of it.
//
// The left side is the SHA-256 of inviteID, recipient, method, calendarSum and resend in lower-case
// base32. Each field is preceded by its length, so that no two different tuples are hashed alike.
// Give the recipient as address.Address.Key, the method in upper case, and the domain of From.
// resend counts how often the mail was asked for again on purpose; it is 0 for the first.
func ID(inviteID, recipient, method string, calendarSum [32]byte, resend int, domain string) string {
	h := sha256.New()
	var length [8]byte
	for _, field := range []string{inviteID, recipient, method, string(calendarSum[:]), strconv.Itoa(resend)} {
		binary.BigEndian.PutUint64(length[:], uint64(len(field)))
		h.Write(length[:])
		h.Write([]byte(field))
	}
	left := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil))
	return strings.ToLower(left) + "@" + domain
}
