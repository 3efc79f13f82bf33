package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/pages"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
	"github.com/invitemailer/invitemailer/mailer/rsvp"
)

// statusCmd shows a line for each invite that the ledger knows, ordered by id and recipient.
type statusCmd struct {
	ID        []string  `sep:"none" placeholder:"ID" help:"Only this smart_invite_id; given again, that one too."`
	Recipient []mailbox `sep:"none" placeholder:"ADDRESS" help:"Only this recipient; given again, that one too."`

	Outcome []string `sep:"none" enum:"${outcomes}" placeholder:"OUTCOME" help:"${status_outcome}"`

	OlderThan age  `placeholder:"AGE" help:"Only outcomes that are older, such as 36h or 30d."`
	NewerThan age  `placeholder:"AGE" help:"Only outcomes that are newer."`
	Refresh   bool `help:"${status_refresh}"`
	MinAge    age  `placeholder:"AGE" help:"${min_age}"`
	Changes   bool `help:"${changes}"`
	JSON      bool `name:"json" help:"Write JSON on a terminal too."`
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
	if shown := inv.withLedger(ctx, c.show); shown != exitOK {
		return shown
	}
	return code
}

// refresh asks the API how each invite stands whose event is not over.
func (c *statusCmd) refresh(ctx context.Context, inv *invocation) exitCode {
	s := inv.setup(scopeAPI)
	defer s.close()
	api := s.client()
	if len(s.texts) > 0 {
		return s.misconfigured()
	}
	s.apiURL = api.BaseURL()
	if c.Changes { // otherwise it is said when they are shown
		warnOfMisspelt(s.log)
	}
	l, err := s.openLedger(ctx)
	if err != nil {
		return s.unusableLedger(err)
	}
	out := inv.results(true)
	o := rsvp.RefreshOptions{MinAge: time.Duration(c.MinAge), Logger: s.log}
	if c.Changes {
		o.OnChange = func(ctx context.Context, change rsvp.Change) error { return out.put(ctx, newChangeLine(&change)) }
	}
	sum, err := rsvp.Refresh(ctx, api, l, o)
	news := err != nil || sum.Changed+sum.NotFound+sum.Failed+sum.Undelivered > 0
	s.log.Log(ctx, inv.summaryLevel(news), "asked the API", "asked", sum.Asked, "changed", sum.Changed,
		"not_found", sum.NotFound, "failed", sum.Failed, "ledger", s.cfg.ledger.Path)
	if unwritten := out.failed(); unwritten != nil {
		return inv.unwritten(unwritten)
	}
	switch {
	case cronofy.StatusOf(err) == http.StatusUnauthorized:
		return inv.fail(exitConfig, keyRefused(s.apiURL))
	case inv.stop.Err() != nil:
		return inv.fail(exitTempfail, "stopped before everything was asked; run again")
	case err != nil:
		return inv.fail(apiCode(err), forUsers(err.Error()))
	case sum.Failed > 0 || sum.Undelivered > 0:
		return exitTempfail
	}
	return exitOK
}

// show writes what is on record, and among it what a run has in hand of which nothing is.
func (c *statusCmd) show(ctx context.Context, s *setup, l *sqlite.Ledger) exitCode {
	claimed, err := l.InHand(ctx)
	if err != nil {
		return s.ledgerFailed(err)
	}
	out := s.inv.results(c.JSON)
	put := func(line *entryLine) {
		if len(c.Outcome) == 0 || slices.Contains(c.Outcome, string(line.Outcome)) {
			out.write(line)
		}
	}
	now := time.Now()
	putClaims := func(claims []sqlite.Claimed) {
		for _, claim := range claims {
			if !claim.Known && c.OlderThan == 0 && c.wants(claim.Key) {
				put(newClaimLine(claim, now))
			}
		}
	}
	for e, failed := range l.List(ctx, c.filter(now)) {
		if err = failed; err != nil || out.failed() != nil {
			break
		}
		if !c.wants(e.Key) {
			continue
		}
		line := newEntryLine(&e)
		i, found := slices.BinarySearchFunc(claimed, e.Key, compareClaim)
		putClaims(claimed[:i])
		if claimed = claimed[i:]; found {
			line.InHandUntil = &claimed[0].Until
			claimed = claimed[1:]
		}
		put(line)
	}
	if err == nil {
		putClaims(claimed)
	}
	if unwritten := out.failed(); unwritten != nil {
		return s.inv.unwritten(unwritten)
	}
	if err != nil {
		return s.ledgerFailed(err)
	}
	return exitOK
}

// compareClaim orders as the ledger lists.
func compareClaim(c sqlite.Claimed, key ledger.Key) int {
	return cmp.Or(cmp.Compare(c.Key.InviteID, key.InviteID), cmp.Compare(c.Key.Address, key.Address))
}

// wants tells whether an invite is among those that the flags name.
func (c *statusCmd) wants(key ledger.Key) bool {
	isTo := func(m mailbox) bool { return m.Key() == key.Address }
	return (len(c.ID) == 0 || slices.Contains(c.ID, key.InviteID)) &&
		(len(c.Recipient) == 0 || slices.ContainsFunc(c.Recipient, isTo))
}

// filter is what the ledger can look for by itself.
func (c *statusCmd) filter(now time.Time) sqlite.Filter {
	var f sqlite.Filter
	if len(c.ID) == 1 {
		f.InviteID = c.ID[0]
	}
	if len(c.Recipient) == 1 {
		f.Address = c.Recipient[0].Key()
	}
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
	RSVP     *pages.Answer `json:"rsvp,omitempty"` // nil if there is no answer
	// InHandUntil is when the claim of the run ends that has it in hand; nil if none has.
	InHandUntil *time.Time `json:"in_hand_until,omitempty"`
}

func newEntryLine(e *ledger.Entry) *entryLine {
	recorded := mailer.Recorded(e)
	l := &entryLine{line: *newLine("", 0, &recorded)}
	if !e.EndsAt.IsZero() {
		end := e.EndsAt.UTC()
		l.EventEnd = &end
	}
	if e.RSVP != nil {
		answer := pages.Latest(e)
		l.RSVP = &answer
	}
	return l
}

// newClaimLine is the line of an invite that a run has in hand before anything of it is on record.
func newClaimLine(c sqlite.Claimed, now time.Time) *entryLine {
	return &entryLine{InHandUntil: &c.Until, line: line{
		InviteID: c.Key.InviteID, Recipient: c.Key.Address,
		Outcome: mailer.Deferred, At: now.UTC().Truncate(time.Millisecond),
		Error: &mailer.Error{
			Stage: mailer.StageLedger, Code: mailer.CodeInProgress,
			Message: "a run has the invite in hand, or died with it a moment ago; nothing of it is on record yet",
		},
	}}
}

// columns is the line as people read it on a terminal.
func (l *entryLine) columns() string {
	const layout = time.DateOnly + " " + time.TimeOnly + "Z"
	text := fmt.Sprintf("%-9s  %-12s  %-20s  %-24s  %-32s", l.Outcome, l.Kind, l.At.Format(layout),
		safetext.Short(l.InviteID, maxShown), safetext.Short(l.Recipient, maxShown))
	if l.RSVP != nil {
		text += "  " + safetext.Line(l.RSVP.Status)
		if l.RSVP.Outdated {
			text += " (an earlier time)"
		}
	}
	if l.InHandUntil != nil {
		text += "  in hand until " + l.InHandUntil.Format(layout)
	}
	if l.Error != nil {
		text += "  " + safetext.Line(l.Error.Error())
	}
	return text
}
