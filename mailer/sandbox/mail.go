package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// Mail is a message that was submitted to the sandbox and kept.
type Mail struct {
	// ID is "1", "2" and so on, after the numbers of the files that were in Dir before.
	ID string
	// From and To are the envelope.
	From string
	To   []string
	// Raw is the message as it came, CRLF line ends. It must not be changed.
	Raw []byte
	At  time.Time
	// File is its path, empty without Dir.
	File string
	// Problem says why a mail to an organizer that looks like an answer changed nothing; else nil.
	Problem error
}

// Mails returns the mail kept so far, the newest last.
func (s *Sandbox) Mails() []Mail {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	return slices.Clone(s.mail.list)
}

// receive reads a mail as an answer, or keeps it. Its error refuses the mail.
func (s *Sandbox) receive(m submissiontest.Message) error {
	received := Mail{From: m.From, To: m.To, Raw: m.Data, At: time.Now()}
	if s.forOrganizer(m.To) {
		err := s.api.Reply(context.Background(), m.Data)
		if err == nil {
			s.logger.Info("answer by mail", "from", domain(m.From))
			return nil
		}
		if !errors.Is(err, cronofytest.ErrNotAnswer) {
			s.logger.Warn("answer by mail changed nothing", "from", domain(m.From), "error", err)
			received.Problem = err
		}
	}
	kept, err := s.mail.keep(received)
	if err != nil {
		s.logger.Error("mail cannot be kept", "error", err)
		return &smtp.SMTPError{
			Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1},
			Message: "The sandbox cannot write to its directory",
		}
	}
	s.logger.Info("mail", "id", kept.ID, "to", domain(m.To[0]), "bytes", len(m.Data))
	if s.onMail != nil {
		s.onMail(kept)
	}
	return nil
}

// forOrganizer tells whether an organizer of an invite, or a former one, is among the addresses.
func (s *Sandbox) forOrganizer(to []string) bool {
	return slices.ContainsFunc(s.api.Organizers(), func(organizer string) bool {
		return slices.ContainsFunc(to, func(addr string) bool { return address.Equal(addr, organizer) })
	})
}

// domain is as much of an address as a log may tell.
func domain(addr string) string { return addr[strings.LastIndexByte(addr, '@')+1:] }

// store keeps mail, in files if it has a directory.
type store struct {
	mu   sync.Mutex
	dir  string
	last int // the highest number given away
	list []Mail
}

// open makes the directory and finds the highest number in it, so that no file of an earlier run
// is overwritten.
func (s *store) open(dir string) error {
	s.dir = dir
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("sandbox: mail directory: %w: name one that can be written", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("sandbox: mail directory: %w: name one that can be read", err)
	}
	for _, e := range entries {
		number, isMail := strings.CutSuffix(e.Name(), ".eml")
		if n, err := strconv.Atoi(number); isMail && err == nil {
			s.last = max(s.last, n)
		}
	}
	return nil
}

func (s *store) keep(m Mail) (Mail, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		s.last++
		m.ID = strconv.Itoa(s.last)
		if s.dir != "" {
			m.File = filepath.Join(s.dir, fmt.Sprintf("%06d.eml", s.last))
			err := write(m.File, m.Raw)
			if errors.Is(err, fs.ErrExist) {
				continue // another sandbox keeps its mail here, too
			}
			if err != nil {
				return m, err
			}
		}
		s.list = append(s.list, m)
		return m, nil
	}
}

// write makes a new file that is whole or not there. It never follows or replaces what has that
// name already.
func write(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the name is made of a number
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
