package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/preview"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// sandboxOrganizer invites where nobody else does.
var sandboxOrganizer = mailer.Organizer{Name: "Sandbox organizer", Email: "organizer@sandbox.example"}

// sandbox puts a simulator of the API and an SMTP server, both inside this
// process, in the place of the real ones. Nothing leaves the machine.
func (w *wiring) sandbox(p *problems) {
	if err := os.MkdirAll(w.out, 0o750); err != nil {
		p.add("--out", "%v; name a directory that this user can write", err)
		return
	}
	w.outbox = &outbox{dir: w.out, gallery: gallery{dir: w.out}, waiting: make(map[string][]byte)}
	api := cronofytest.New(cronofytest.Options{
		DefaultOrganizer: cronofytest.Organizer(sandboxOrganizer),
	})
	client, err := cronofy.New(cronofy.Config{APIKey: "sandbox", Transport: api.Transport(), RatePerSecond: -1, RatePerMinute: -1})
	p.addError(err)
	inbox := submissiontest.NewInbox(submissiontest.Options{SMTPUTF8: true, Handle: w.outbox.accept})
	w.closers = append(w.closers, func() { _ = inbox.Close() })
	submitter, err := submission.New(submission.Config{Host: "localhost", HELOName: "localhost", TLS: submission.TLSNone, Dial: inbox.Dial})
	p.addError(err)
	if len(p.texts) > 0 {
		return
	}
	w.closers = append(w.closers, func() { _ = submitter.Shutdown(context.Background()) })
	if w.cfg.mail.Organizer == (mailer.Organizer{}) {
		w.cfg.mail.Organizer = sandboxOrganizer
	}
	w.cfg.mail.API, w.cfg.mail.Submitter, w.cfg.mail.PastWarns = simulated{client}, submitter, true
	if w.calendar != "" {
		w.cfg.mail.API = given{w.calendar}
	}
}

// simulated is the API of the sandbox. It begins without any invites, so that
// it makes one up for a cancellation to cancel.
type simulated struct{ *cronofy.Client }

// Cancel implements mailer.SmartInvites.
func (s simulated) Cancel(ctx context.Context, ref cronofy.Ref) (*cronofy.SmartInvite, error) {
	answer, err := s.Client.Cancel(ctx, ref)
	if cronofy.StatusOf(err) != http.StatusNotFound {
		return answer, err
	}
	start := time.Now().UTC().Truncate(time.Hour).AddDate(0, 0, 1)
	request := &cronofy.InviteRequest{SmartInviteID: ref.SmartInviteID, Event: &cronofy.Event{
		Summary: "Event of the sandbox", Start: cronofy.EventTime{Time: start}, End: cronofy.EventTime{Time: start.Add(time.Hour)},
	}}
	if ref.Recipient != "" {
		request.Recipient = &cronofy.Recipient{Email: ref.Recipient}
	}
	for _, address := range ref.Recipients {
		request.Recipients = append(request.Recipients, cronofy.Recipient{Email: address})
	}
	if _, err := s.Create(ctx, request); err != nil {
		return nil, err
	}
	return s.Client.Cancel(ctx, ref)
}

// outbox turns accepted messages into files that are named after their invites.
type outbox struct {
	dir     string
	gallery gallery

	mu      sync.Mutex
	waiting map[string][]byte // by Message-ID, until the receipt tells whose it is
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

// write writes the message of a receipt, if there is one, and returns the
// file's path.
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
	if err := writeNew(o.dir, name, data); err != nil {
		return "", err
	}
	return filepath.Join(o.dir, name), o.gallery.add(preview.Mail{Name: name, Raw: data, InviteID: r.InviteID, Kind: string(r.Kind), Outcome: string(r.Outcome),
		ReaderTZID: readerZone(item, r.Recipient)})
}

func bareID(id string) string { return strings.Trim(strings.TrimSpace(id), "<>") }

const (
	between  = "-to-"
	maxPart  = 38 // bytes of id and of recipient in a name
	hashSize = 4  // bytes, twice as many digits
)

// emlName names the file of a message after its invite: the same invite has the
// same name each time, and two have two names. Where the name says less than
// the two, a hash of them is in it.
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

// safeName keeps what no file system minds, of a length that every one takes.
func safeName(s string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-_.@+", r):
			return r
		}
		return '-'
	}, s)
	safe = safe[:min(len(safe), maxPart)]
	if strings.HasPrefix(safe, ".") {
		safe = "-" + safe[1:]
	}
	return safe
}
