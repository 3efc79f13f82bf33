package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/invitemailer/invitemailer/internal/pages"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/rsvp"
)

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

// changes is standard output as a place for changes: each is written at once, for
// the program on the other side of a pipe.
type changes struct {
	w      *output
	broken func() // called when nobody can take them any more

	mu  sync.Mutex
	err error
}

// put writes one change; it is an rsvp.OnChange. A change that could not be
// written was not taken, so that it comes again. One that nobody read before ctx
// ended comes again too, and is written twice if somebody goes on reading.
func (c *changes) put(ctx context.Context, change rsvp.Change) error {
	text, err := json.Marshal(newChangeLine(&change))
	if err != nil {
		return fmt.Errorf("encode the change: %w", err)
	}
	if err := c.failed(); err != nil {
		return err
	}
	var line bytes.Buffer
	_, _ = safetext.JSONWriter(&line).Write(append(text, '\n')) // never fails
	_, err = c.w.WriteContext(ctx, line.Bytes())
	if err == nil {
		return nil
	}
	err = fmt.Errorf("write the change to standard output: %w", err)
	if !errors.Is(err, errUnread) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.err = err
		c.broken()
	}
	return err
}

func (c *changes) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func newChangeLine(c *rsvp.Change) *changeLine {
	before := c.Before.Status
	if before == "" {
		before = ledger.StatusPending
	}
	return &changeLine{InviteID: c.InviteID, Recipient: c.Recipient, Before: before, Status: c.After.Status,
		RSVP: pages.NewAnswer(&c.After), RepliedBy: c.By, At: c.After.At.UTC().Truncate(time.Millisecond)}
}
