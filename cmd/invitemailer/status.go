package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/pages"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
)

// statusCmd shows what the ledger knows: one line for each invite, ordered by id
// and recipient, in the words of the results.
type statusCmd struct {
	ID        []string  `sep:"none" placeholder:"ID" help:"Only this smart_invite_id; given again, that one too."`
	Recipient []mailbox `sep:"none" placeholder:"ADDRESS" help:"Only this recipient; given again, that one too."`
	Outcome   []string  `sep:"none" enum:"sent,unchanged,expired,failed,deferred,unknown" placeholder:"OUTCOME" help:"Only invites that ended so: sent, unchanged, expired, failed, deferred or unknown; given again, so too."`
	OlderThan age       `placeholder:"AGE" help:"Only outcomes that are older, such as 36h or 30d."`
	NewerThan age       `placeholder:"AGE" help:"Only outcomes that are newer."`
	Refresh   bool      `help:"First ask the API how each invite stands whose event is not over. Those it was asked about the longest ago come first, so that a run that was stopped is taken up by the next."`
	MinAge    age       `placeholder:"AGE" help:"With --refresh: leave alone what the API was asked about less than this long ago, such as 10m."`
	Changes   bool      `help:"With --refresh: write what changed, as serve does, instead of everything."`
	JSON      bool      `name:"json" help:"Write JSON on a terminal too."`
}

// Validate implements kong's hook.
func (c *statusCmd) Validate() error {
	if slices.Contains(c.ID, "") {
		return usageError("--id is empty; name a smart_invite_id, or leave the flag out for all")
	}
	if c.OlderThan > 0 && c.NewerThan > 0 && c.OlderThan >= c.NewerThan {
		return usageError("nothing is older than --older-than and newer than --newer-than; make the second the longer one")
	}
	if !c.Refresh && (c.MinAge > 0 || c.Changes) {
		return usageError("--min-age and --changes are about --refresh; add it")
	}
	return nil
}

func (c *statusCmd) run(ctx context.Context, inv *invocation) exitCode {
	code := exitOK
	if c.Refresh {
		if code = c.refresh(ctx, inv); c.Changes || code == exitConfig {
			return code
		}
	}
	if shown := c.show(ctx, inv); shown != exitOK {
		return shown
	}
	return code
}

func (c *statusCmd) show(ctx context.Context, inv *invocation) exitCode {
	return inv.withLedger(ctx, func(ctx context.Context, r *recorded) exitCode {
		terminal := isTerminal(inv.Stdout)
		out := newResults(inv.Stdout, terminal && !c.JSON, inv.screen.around, inv.stop.stop)
		now := time.Now()
		put := func(l *entryLine) {
			if len(c.Outcome) == 0 || slices.Contains(c.Outcome, string(l.Outcome)) {
				out.put(l)
			}
		}
		putUnknown := func(claimed []sqlite.Claimed) {
			for _, u := range claimed {
				if !u.Known && c.wants(u.Key) {
					put(newClaimLine(u, now))
				}
			}
		}
		claimed, err := r.ledger.InHand(ctx)
		if err != nil {
			return r.fail(err)
		}
		hands := inHand(claimed)
		for e, err := range c.list(ctx, r.ledger, now) {
			if err != nil {
				if unwritten := out.close(); unwritten != nil {
					return inv.unwritten(unwritten)
				}
				return r.fail(err)
			}
			before, until := hands.upTo(e.Key)
			putUnknown(before)
			l := newEntryLine(&e)
			l.InHandUntil = until
			put(l)
		}
		putUnknown(hands)
		if err := out.close(); err != nil {
			return inv.unwritten(err)
		}
		return exitOK
	})
}

// wants tells whether an invite is to be shown of which nothing is on record.
func (c *statusCmd) wants(key ledger.Key) bool {
	return (len(c.ID) == 0 || slices.Contains(c.ID, key.InviteID)) && c.OlderThan == 0 &&
		(len(c.Recipient) == 0 || slices.ContainsFunc(c.Recipient, func(m mailbox) bool { return m.Key() == key.Address }))
}

// unwritten is for results that nobody takes.
func (inv *invocation) unwritten(err error) exitCode {
	return inv.fail(exitTempfail, "the results could not be written: nobody reads them any more, or the disk is full: "+err.Error())
}

// list is what the ledger has of the invites that are asked for, ordered by id and
// recipient.
func (c *statusCmd) list(ctx context.Context, l *sqlite.Ledger, now time.Time) iter.Seq2[ledger.Entry, error] {
	ids := slices.Compact(slices.Sorted(slices.Values(c.ID)))
	if len(ids) == 0 {
		ids = []string{""}
	}
	var addresses []string
	for _, r := range c.Recipient {
		addresses = append(addresses, r.Key())
	}
	f := c.filter(now)
	if len(addresses) == 1 {
		f.Address = addresses[0]
	}
	return func(yield func(ledger.Entry, error) bool) {
		for _, f.InviteID = range ids {
			for e, err := range l.List(ctx, f) {
				if err == nil && len(addresses) > 1 && !slices.Contains(addresses, e.Key.Address) {
					continue
				}
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}

// filter is what the ledger can look for by itself.
func (c *statusCmd) filter(now time.Time) sqlite.Filter {
	var f sqlite.Filter
	if c.OlderThan > 0 {
		f.Before = now.Add(-time.Duration(c.OlderThan))
	}
	if c.NewerThan > 0 {
		f.Since = now.Add(-time.Duration(c.NewerThan))
	}
	if len(c.Outcome) == 1 {
		switch o := mailer.Outcome(c.Outcome[0]); o {
		case mailer.Sent, mailer.Expired, mailer.Failed: // one state each
			f.State = ledger.State(o)
		}
	}
	return f
}

// entryLine is what is known of one invite.
type entryLine struct {
	line
	EventEnd *time.Time    `json:"event_end,omitempty"`
	RSVP     *pages.Answer `json:"rsvp,omitempty"` // nil if nothing was heard
	// InHandUntil is when the claim of the run runs out that has it in hand; nil if none has.
	InHandUntil *time.Time `json:"in_hand_until,omitempty"`
}

func newEntryLine(e *ledger.Entry) *entryLine {
	l := &entryLine{line: line{InviteID: e.Key.InviteID, Recipient: e.Recipient}}
	if !e.EndsAt.IsZero() {
		end := e.EndsAt.UTC()
		l.EventEnd = &end
	}
	if e.RSVP != nil {
		answer := pages.Latest(e)
		l.RSVP = &answer
	}
	r := e.Latest
	if r == nil {
		return l
	}
	l.Method, l.Kind, l.Outcome, l.Error = r.Method, r.Kind, outcome(r.State), problem(r)
	l.UID, l.MessageID, l.Reply, l.Attempts, l.At = r.UID, r.MessageID, r.Reply, r.Attempts, r.At.UTC().Truncate(time.Millisecond)
	if r.UID != "" {
		l.Sequence = &r.Sequence
	}
	return l
}

// columns is the line as people read it on a terminal.
func (l *entryLine) columns() string {
	text := fmt.Sprintf("%-9s  %-12s  %-20s  %-24s  %-32s", l.Outcome, l.Kind, l.At.Format(time.DateOnly+" "+time.TimeOnly+"Z"),
		safetext.Short(l.InviteID, maxShown), safetext.Short(l.Recipient, maxShown))
	if l.RSVP != nil {
		text += "  " + safetext.Line(l.RSVP.Status)
		if l.RSVP.Outdated {
			text += " (an earlier time)"
		}
	}
	if l.InHandUntil != nil {
		text += "  in hand until " + l.InHandUntil.Format(time.DateOnly+" "+time.TimeOnly+"Z")
	}
	if l.Error != nil {
		text += "  " + safetext.Line(l.Error.Error())
	}
	return text
}

// outcome is the word for a state that a run with the same input would use: what
// a crash left behind is deferred if its mail had not begun to leave, and unknown
// if it had. What was done without a mail is unchanged.
func outcome(s ledger.State) mailer.Outcome {
	switch s {
	case ledger.Created:
		return mailer.Deferred
	case ledger.Submitting:
		return mailer.Unknown
	case ledger.Settled:
		return mailer.Unchanged
	}
	return mailer.Outcome(s)
}

// problem says why an invite did not succeed; nil if it did.
func problem(r *ledger.Revision) *mailer.Error {
	switch r.State {
	case ledger.Sent, ledger.Settled:
		return nil
	case ledger.Created:
		return &mailer.Error{Stage: mailer.StageSubmit, Code: mailer.CodeNotBegun,
			Message: "the calendar is on record and its mail has not begun to leave: a run has it in hand, or ended before; run again"}
	case ledger.Submitting:
		return &mailer.Error{Stage: mailer.StageSubmit, Code: mailer.CodeNoReply,
			Message: "the mail may have left and its outcome is not on record: a run has it in hand, or ended before; run again"}
	}
	return &mailer.Error{Stage: r.Stage, Code: r.Code, Message: forUsers(r.Detail)}
}

// mailbox is an address on the command line.
type mailbox struct{ address.Address }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *mailbox) UnmarshalText(text []byte) (err error) {
	m.Address, err = address.Parse(string(text))
	return err
}
