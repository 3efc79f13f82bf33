package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/internal/pages"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/rsvp"
)

// results writes lines to standard output, each at once. Several goroutines may use it.
type results struct {
	inv      *invocation
	terminal bool
	columns  bool

	mu  sync.Mutex
	err error
}

// columner is a result that people can read on a terminal.
type columner interface {
	columns() string
}

// results makes the writer of the results: columns on a terminal, unless JSON is asked for.
func (inv *invocation) results(asJSON bool) *results {
	terminal := isTerminal(inv.Stdout)
	return &results{inv: inv, terminal: terminal, columns: terminal && !asJSON}
}

// put writes one line, and gives up when ctx ends. An error of writing asks the command to stop,
// and nothing is written after it. A line that is only not read yet may be put again.
func (r *results) put(ctx context.Context, line any) error {
	if err := r.failed(); err != nil {
		return err
	}
	text, err := r.text(line)
	if err != nil {
		return err
	}
	write := func() { _, err = r.inv.Stdout.WriteContext(ctx, text) }
	if r.terminal {
		r.inv.screen.around(write)
	} else {
		write()
	}
	if err != nil && !errors.Is(err, errUnread) {
		r.end(err)
	}
	return err
}

// write waits for the reader until the command is to stop. Its error is that of failed.
func (r *results) write(line any) {
	if err := r.put(context.Background(), line); err != nil {
		r.end(err)
	}
}

// end is for an error after which nothing is written.
func (r *results) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	r.inv.halt()
}

// text is a line as it is written.
func (r *results) text(line any) ([]byte, error) {
	if c, ok := line.(columner); ok && r.columns {
		return []byte(c.columns() + "\n"), nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(safetext.JSONWriter(&text))
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(line)
	return text.Bytes(), err
}

// failed returns the error that ended the writing.
func (r *results) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// line is the result of one invite. Its names and their order are fixed.
type line struct {
	File      string           `json:"file,omitempty"`
	Line      int              `json:"line,omitempty"`
	InviteID  string           `json:"smart_invite_id"`
	Recipient string           `json:"recipient"`
	Method    mailer.Method    `json:"method"`
	Kind      mailer.Kind      `json:"kind"`
	Outcome   mailer.Outcome   `json:"outcome"`
	Known     bool             `json:"known,omitempty"`
	UID       string           `json:"uid,omitempty"`
	Sequence  *int             `json:"sequence,omitempty"`
	MessageID string           `json:"message_id,omitempty"`
	Reply     string           `json:"smtp_reply,omitempty"`
	Attempts  int              `json:"attempts"`
	At        time.Time        `json:"at"`
	Findings  []mailer.Finding `json:"findings,omitempty"`
	EML       string           `json:"eml,omitempty"`
	Error     *mailer.Error    `json:"error,omitempty"`
}

func newLine(file string, number int, r *mailer.Receipt) *line {
	l := &line{
		File: file, Line: number, InviteID: r.InviteID, Recipient: r.Recipient,
		Method: r.Method, Kind: r.Kind, Outcome: r.Outcome, Known: r.Known,
		UID: r.UID, Sequence: r.Sequence, MessageID: r.MessageID, Reply: r.Reply, Attempts: r.Attempts,
		At: r.At.UTC().Truncate(time.Millisecond), Findings: slices.Clone(r.Findings),
	}
	for i := range l.Findings {
		l.Findings[i].Message = forUsers(l.Findings[i].Message)
	}
	if r.Error != nil {
		named := *r.Error
		named.Message = forUsers(named.Message)
		l.Error = &named
	}
	return l
}

// maxShown is how many characters of an id or an address people are shown. A valid address is
// whole; what is longer is written as JSON only.
const maxShown = 254

// columns is the line as people read it on a terminal.
func (l *line) columns() string {
	text := fmt.Sprintf("%-9s  %-12s  %-24s  %-32s", l.Outcome, l.Kind,
		safetext.Short(l.InviteID, maxShown), safetext.Short(l.Recipient, maxShown))
	switch {
	case l.Error != nil:
		text += "  " + safetext.Line(l.Error.Error())
	case l.EML != "":
		text += "  " + safetext.Line(l.EML)
	}
	return text
}

// changeLine is one change of an answer. Its names and their order are fixed.
type changeLine struct {
	InviteID  string       `json:"smart_invite_id"`
	Recipient string       `json:"recipient"`
	Before    string       `json:"before"` // the status until then
	Status    string       `json:"status"`
	RSVP      pages.Answer `json:"rsvp"`
	// RepliedBy is who really replied.
	RepliedBy string    `json:"replied_by"`
	At        time.Time `json:"at"`
}

func newChangeLine(c *rsvp.Change) *changeLine {
	before := c.Before.Status
	if before == "" {
		before = ledger.StatusPending
	}
	return &changeLine{
		InviteID: c.InviteID, Recipient: c.Recipient, Before: before, Status: c.After.Status,
		RSVP: pages.NewAnswer(&c.After), RepliedBy: c.By, At: c.After.At.UTC().Truncate(time.Millisecond),
	}
}
