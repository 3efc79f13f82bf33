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
	ID        string `placeholder:"ID" help:"${cancel_id}"`
	Recipient string `placeholder:"ADDRESS" help:"${cancel_recipient}"`
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
		return inv.usage(err)
	}
	return inv.deliver(ctx, &c.runFlags, only(cancellations(items)))
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

// items are the cancellations of what the ledger knows: one for each recipient, or one for the
// group.
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
		case mailer.Counted(e):
			group = append(group, to)
		default:
			gone = append(gone, to)
		}
	}
	if len(group) == 0 {
		group = gone // for the mailer to say how they stand
	}
	switch {
	case len(items) == 0 && c.Recipient != "" && len(group) > 0:
		return []mailer.Item{c.refused(mailer.CodeFormChanged, "recipient", fmt.Sprintf(
			"the event was sent to a group, which is cancelled as a whole; "+
				"to call it off for all %d, leave --recipient out; to take only this recipient out of it, "+
				`send a record with "method":"remove" and this recipient`, len(group)))}
	case len(items) == 0 && c.Recipient != "":
		return []mailer.Item{c.single(c.Recipient)}
	case c.Recipient == "" && len(group) > 0:
		return append(items, mailer.Item{Group: &mailer.Group{ID: c.ID, Method: mailer.Cancel, Recipients: group}})
	case len(items) == 0:
		return []mailer.Item{c.refused(mailer.CodeInvalid, "smart_invite_id",
			"the ledger knows nobody who was invited by this id; "+
				"correct it, or name the --recipient to cancel the invite all the same")}
	}
	return items
}

// single is the cancellation of one invite.
func (c *cancelCmd) single(recipient string) mailer.Item {
	to := mailer.Recipient{Email: recipient}
	return mailer.Item{Invite: &mailer.Invite{ID: c.ID, Method: mailer.Cancel, Recipient: to}}
}

func (c *cancelCmd) refused(code mailer.Code, field, message string) mailer.Item {
	item := c.single(c.Recipient)
	item.Err = &mailer.Error{Stage: mailer.StageLedger, Code: code, Field: field, Message: message}
	return item
}

// addresses reports whether text is the address of an entry, however it is written.
func addresses(text string, e *ledger.Entry) bool {
	a, err := address.Parse(text)
	return err == nil && a.Key() == e.Key.Address
}

// cancellations turns invitations into their cancellations.
func cancellations(items iter.Seq[mailer.Item]) iter.Seq[mailer.Item] {
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
