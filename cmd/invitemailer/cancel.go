package main

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// cancelCmd cancels the invites of its records, or those that flags name.
type cancelCmd struct {
	runFlags
	ID        string `placeholder:"ID" help:"The smart_invite_id to cancel, instead of a file: for everybody whom the ledger knows to be invited."`
	Recipient string `placeholder:"ADDRESS" help:"Only the invite of this recipient of --id; required without a ledger."`
}

// Validate implements kong's hook.
func (c *cancelCmd) Validate() error {
	switch {
	case c.ID == "" && c.Recipient != "":
		return usageError("--recipient needs --id")
	case c.ID != "" && len(c.Files) > 0:
		return usageError("name either files or --id")
	case c.ID != "" && c.Recipient == "" && c.Sandbox:
		return usageError("--id needs --recipient in the sandbox, whose ledger knows nobody")
	}
	return c.runFlags.Validate()
}

func (c *cancelCmd) run(ctx context.Context, inv *invocation) exitCode {
	if c.ID != "" {
		return inv.deliver(ctx, &c.runFlags, c.named)
	}
	items, err := c.records(inv)
	if err != nil {
		return inv.fail(exitUsage, err.Error()+"; see invitemailer --help")
	}
	return inv.deliver(ctx, &c.runFlags, just(cancelled(items)))
}

// named is the source of the cancellations that the flags ask for.
func (c *cancelCmd) named(ctx context.Context, l mailer.Ledger) (iter.Seq[mailer.Item], error) {
	if l == nil {
		if c.Recipient == "" {
			return nil, usageError("--id needs --recipient where no ledger knows who is invited")
		}
		return slices.Values([]mailer.Item{c.single(c.Recipient)}), nil
	}
	members, err := l.Members(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	return slices.Values(c.items(members)), nil
}

// items are the cancellations of what the ledger knows by the id, in the form in
// which it was asked for: one for each recipient, or one for the group.
func (c *cancelCmd) items(members []ledger.Entry) []mailer.Item {
	var items []mailer.Item
	var group, gone []mailer.Recipient
	for i := range members {
		e := &members[i]
		to := mailer.Recipient{Email: e.Recipient}
		switch {
		case !e.Grouped && (c.Recipient == "" || addresses(c.Recipient, e)):
			items = append(items, c.single(e.Recipient))
		case !e.Grouped:
		case invited(e):
			group = append(group, to)
		default:
			gone = append(gone, to)
		}
	}
	if len(group) == 0 {
		group = gone // for the mailer to say how they stand
	}
	switch {
	case c.Recipient != "" && len(items) == 0 && len(group) > 0:
		return []mailer.Item{c.refused(mailer.CodeFormChanged, "recipient", fmt.Sprintf("the event was sent to a group, which is cancelled as a whole; "+
			`to call it off for all %d, leave --recipient out; to take only this recipient out of it, send a record with "method":"remove" and this recipient`, len(group)))}
	case c.Recipient != "" && len(items) == 0:
		return []mailer.Item{c.single(c.Recipient)}
	case c.Recipient == "" && len(group) > 0:
		items = append(items, mailer.Item{Group: &mailer.Group{ID: c.ID, Method: mailer.Cancel, Recipients: group}})
	case len(items) == 0:
		return []mailer.Item{c.refused(mailer.CodeInvalid, "smart_invite_id",
			"the ledger knows nobody who was invited by this id; correct it, or name the --recipient to cancel the invite all the same")}
	}
	return items
}

// single is the cancellation of one invite.
func (c *cancelCmd) single(recipient string) mailer.Item {
	return mailer.Item{Invite: &mailer.Invite{ID: c.ID, Method: mailer.Cancel, Recipient: mailer.Recipient{Email: recipient}}}
}

func (c *cancelCmd) refused(code mailer.Code, field, message string) mailer.Item {
	item := c.single(c.Recipient)
	item.Err = &mailer.Error{Stage: mailer.StageLedger, Code: code, Field: field, Message: message}
	return item
}

// addresses reports whether text is the address of an entry, however it is
// written.
func addresses(text string, e *ledger.Entry) bool {
	a, err := address.Parse(text)
	return err == nil && a.Key() == e.Key.Address
}

// invited reports whether the API counts a member among the group, as far as the
// ledger can tell: not if it took the member out, or never let them in.
func invited(e *ledger.Entry) bool {
	r := e.Latest
	if r == nil {
		return false
	}
	refused := r.Stage == mailer.StageCreate
	if r.Method == mailer.Remove {
		return refused
	}
	if r.State == ledger.Expired && r.UID == "" && e.LastSent == nil {
		return false // it was over before anybody was asked
	}
	return !refused || r.State != ledger.Failed || e.LastSent != nil
}

// cancelled turns invitations into their cancellations.
func cancelled(items iter.Seq[mailer.Item]) iter.Seq[mailer.Item] {
	return func(yield func(mailer.Item) bool) {
		for item := range items {
			if item.Invite != nil && item.Invite.Method != mailer.Remove {
				item.Invite.Method = mailer.Cancel
			}
			if item.Group != nil && item.Group.Method != mailer.Remove {
				item.Group.Method = mailer.Cancel
			}
			if !yield(item) {
				return
			}
		}
	}
}
