package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/internal/preview"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// outbox turns accepted messages into files that are named after their invites, and one page that
// shows them. The page is begun with its first mail.
type outbox struct {
	dir string

	mu      sync.Mutex
	waiting map[string][]byte // by Message-ID, until the receipt tells whose it is

	file *os.File // of the page
	out  *bufio.Writer
	page *preview.Writer // nil without a mail
}

// accept takes a message from the SMTP server.
func (o *outbox) accept(m submissiontest.Message) error {
	message, err := mail.ReadMessage(bytes.NewReader(m.Data))
	if err != nil {
		return fmt.Errorf("read the message: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting[bareID(message.Header.Get("Message-Id"))] = m.Data
	return nil
}

// write writes the message of a receipt, if there is one, and returns the file's path.
func (o *outbox) write(item mailer.Item, r *mailer.Receipt) (string, error) {
	if r.Outcome != mailer.Sent {
		return "", nil
	}
	id := bareID(r.MessageID)
	o.mu.Lock()
	data, ok := o.waiting[id]
	delete(o.waiting, id)
	o.mu.Unlock()
	if !ok {
		return "", nil
	}
	name := emlName(r.InviteID, r.Recipient, r.Kind)
	f, err := newFile(o.dir, name)
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	return filepath.Join(o.dir, name), o.show(preview.Mail{
		Name: name, Raw: data, InviteID: r.InviteID, Kind: string(r.Kind), Outcome: string(r.Outcome),
		ReaderTZID: readerZone(item, r.Recipient),
	})
}

func bareID(id string) string { return strings.Trim(strings.TrimSpace(id), "<>") }

const (
	between  = "-to-"
	maxPart  = 38 // bytes of id and of recipient in a name
	hashSize = 4  // bytes, twice as many digits
)

// emlName names the file of a message after its invite: the same invite has the same name each
// time, and two have two names. Where the name says less than the two, a hash of them is in it.
func emlName(id, recipient string, kind mailer.Kind) string {
	safeID, safeTo := safeName(id), safeName(recipient)
	name := safeID + between + safeTo
	// The first separator must be ours, or "a" to "b-to-c" is "a-to-b" to "c".
	exact := safeID == id && safeTo == recipient && strings.Index(id+between, between) == len(id)
	if !exact {
		sum := sha256.Sum256([]byte(id + "\x00" + recipient))
		name += "-" + hex.EncodeToString(sum[:hashSize])
	}
	if kind == mailer.Cancellation || kind == mailer.Withdrawal {
		name += "." + string(kind)
	}
	return name + ".eml"
}

var unsafeInNames = regexp.MustCompile(`[^-_.@+A-Za-z0-9]`)

// safeName keeps what no file system minds, of a length that every one takes.
func safeName(s string) string {
	safe := unsafeInNames.ReplaceAllString(s, "-")
	safe = safe[:min(len(safe), maxPart)]
	if strings.HasPrefix(safe, ".") {
		safe = "-" + safe[1:]
	}
	return safe
}

// pageName is the preview page among the messages of a sandbox.
const pageName = "preview.html"

// show adds a mail to the page.
func (o *outbox) show(m preview.Mail) (err error) {
	if o.page == nil {
		if o.file, err = newFile(o.dir, pageName); err != nil {
			return err
		}
		o.out = bufio.NewWriter(o.file)
		o.page, err = preview.NewWriter(o.out, preview.Options{Title: "What would be sent", Now: time.Now()})
		if err != nil {
			return err
		}
	}
	return o.page.Add(m)
}

// close ends the page.
func (o *outbox) close() error {
	if o.page == nil {
		return nil
	}
	return errors.Join(o.page.Close(), o.out.Flush(), o.file.Close())
}

// readerZone is the zone of the reader of a receipt, if the record names one.
func readerZone(item mailer.Item, recipient string) string {
	if item.Invite != nil {
		return item.Invite.Recipient.TZID
	}
	if item.Group != nil {
		for _, r := range item.Group.Recipients {
			if r.Email == recipient {
				return r.TZID
			}
		}
	}
	return ""
}

// newFile makes a file in place of what has its name there. It follows no link: others may write to
// the directory too, and put links there.
func newFile(dir, name string) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // its file stays open
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}
