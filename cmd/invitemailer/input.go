package main

import (
	"context"
	"iter"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/record"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// source makes the items of a run once its ledger, which may be nil, is open.
type source func(ctx context.Context, l mailer.Ledger) (iter.Seq[mailer.Item], error)

// only is the source of items that do not depend on the ledger.
func only(items iter.Seq[mailer.Item]) source {
	return func(context.Context, mailer.Ledger) (iter.Seq[mailer.Item], error) { return items, nil }
}

// records reads the input. A terminal is none.
func (f *runFlags) records(inv *invocation) (iter.Seq[mailer.Item], error) {
	names := f.Files
	if len(names) == 0 {
		if isTerminal(inv.Stdin) {
			return nil, usageError("no input: name a FILE, or pipe records into standard input")
		}
		names = []string{"-"}
	}
	return record.Files(names, inv.Stdin, record.Options{Format: record.Format(f.Format)}), nil
}

// withRecordedIDs gives ids back the blanks that stand around them in CSV, where an invite is on
// record with them and not without: by the other id the person would be invited anew. Package
// mailer then warns of them.
func withRecordedIDs(ctx context.Context, l mailer.Ledger, items iter.Seq[mailer.Item]) iter.Seq[mailer.Item] {
	if l == nil {
		return items
	}
	return func(yield func(mailer.Item) bool) {
		for item := range items {
			source, _ := item.Tag.(record.Source)
			padded := source.ID != "" && item.Invite != nil && item.Err == nil
			if padded && !knownWithout(ctx, l, item.Invite, source.ID) {
				item.Invite.ID = source.ID
			}
			if !yield(item) {
				return
			}
		}
	}
}

// knownWithout reports whether an invite goes by its id without blanks: it is on record so, or not
// at all. If the ledger cannot say, the id with blanks makes package mailer look it up again.
func knownWithout(ctx context.Context, l mailer.Ledger, i *mailer.Invite, with string) bool {
	a, err := address.Parse(i.Recipient.Email)
	if err != nil {
		return true // the mailer refuses it
	}
	key := func(id string) ledger.Key { return ledger.Key{InviteID: id, Address: a.Key()} }
	entries, err := l.Lookup(ctx, key(i.ID), key(with))
	if err != nil {
		return false
	}
	known := func(e ledger.Entry) bool { return e.Known || e.Forgotten }
	return known(entries[0]) || !known(entries[1])
}
