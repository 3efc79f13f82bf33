package main

import (
	"context"
	"iter"

	"github.com/invitemailer/invitemailer/mailer"
)

// cancelCmd cancels the invites of its records, or the one that flags name.
type cancelCmd struct {
	runFlags
	ID        string `placeholder:"ID" help:"The smart_invite_id to cancel, instead of a file."`
	Recipient string `placeholder:"ADDRESS" help:"The recipient of --id."`
}

// Validate implements kong's hook.
func (c *cancelCmd) Validate() error {
	switch {
	case (c.ID == "") != (c.Recipient == ""):
		return usageError("--id and --recipient belong together")
	case c.ID != "" && len(c.Files) > 0:
		return usageError("name either files, or --id and --recipient")
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
	return inv.deliver(ctx, &c.runFlags, cancelled(items))
}

// named yields the one cancellation that the flags ask for.
func (c *cancelCmd) named(yield func(mailer.Item) bool) {
	yield(mailer.Item{Invite: &mailer.Invite{ID: c.ID, Method: mailer.Cancel, Recipient: mailer.Recipient{Email: c.Recipient}}})
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
