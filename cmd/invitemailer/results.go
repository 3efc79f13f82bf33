package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer"
)

// line is one result. Its names and their order are fixed.
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
	var problem *mailer.Error
	if r.Error != nil {
		named := *r.Error
		named.Message = forUsers(named.Message)
		problem = &named
	}
	return &line{File: file, Line: number, InviteID: r.InviteID, Recipient: r.Recipient, Method: r.Method, Kind: r.Kind,
		Outcome: r.Outcome, Known: r.Known, UID: r.UID, Sequence: r.Sequence, MessageID: r.MessageID, Reply: r.Reply, Attempts: r.Attempts,
		At: r.At.UTC().Truncate(time.Millisecond), Findings: r.Findings, Error: problem}
}

// flushAfter is how long a line may wait in memory for others.
const flushAfter = 100 * time.Millisecond

// results is standard output. Lines that come fast are written together.
type results struct {
	columns bool         // for people, not JSON
	around  func(func()) // each write goes through it
	broken  func()       // called once, when nobody takes the results any more

	mu      sync.Mutex
	w       *bufio.Writer
	encoder *json.Encoder
	timer   *time.Timer // runs while lines wait
	waiting bool
	err     error
}

func newResults(w io.Writer, columns bool, around func(func()), broken func()) *results {
	r := &results{columns: columns, around: around, broken: broken, w: bufio.NewWriterSize(w, 64<<10)}
	r.encoder = json.NewEncoder(safetext.JSONWriter(r.w))
	r.encoder.SetEscapeHTML(false)
	return r
}

// row is a line of the results: JSON by its fields.
type row interface {
	columns() string // for people
}

// put takes one line. After the first error it does nothing.
func (r *results) put(l row) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return
	}
	if r.columns {
		r.around(func() {
			_, r.err = fmt.Fprintln(r.w, l.columns())
			if r.err == nil {
				r.err = r.w.Flush()
			}
		})
	} else {
		r.err = r.encoder.Encode(l)
	}
	if r.err != nil {
		r.broken()
		return
	}
	if !r.columns && !r.waiting {
		r.waiting = true
		if r.timer == nil {
			r.timer = time.AfterFunc(flushAfter, func() { _ = r.flush() })
		} else {
			r.timer.Reset(flushAfter)
		}
	}
}

// flush writes what waits and returns the first error there was.
func (r *results) flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = false
	if r.err == nil {
		if r.err = r.w.Flush(); r.err != nil {
			r.broken()
		}
	}
	return r.err
}

// close writes the rest.
func (r *results) close() error {
	if r.timer != nil {
		r.timer.Stop()
	}
	return r.flush()
}

// maxShown is how many characters of an id or an address people are shown. A valid
// address is whole; what is longer is told to programs only.
const maxShown = 254

// columns is the line as people read it on a terminal.
func (l *line) columns() string {
	text := fmt.Sprintf("%-9s  %-12s  %-24s  %-32s", l.Outcome, l.Kind, safetext.Short(l.InviteID, maxShown), safetext.Short(l.Recipient, maxShown))
	switch {
	case l.Error != nil:
		text += "  " + safetext.Line(l.Error.Error())
	case l.EML != "":
		text += "  " + safetext.Line(l.EML)
	}
	return text
}
