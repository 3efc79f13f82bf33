package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// TestCancelByID: the cancellation has the form of the invitation, and names
// those whom the API counts among a group: it refuses any other list.
func TestCancelByID(t *testing.T) {
	t.Parallel()
	member := func(email string, grouped bool, r ledger.Revision, sent *ledger.Revision) ledger.Entry {
		return ledger.Entry{Known: true, Key: ledger.Key{InviteID: "x", Address: email}, Recipient: email,
			Grouped: grouped, Latest: &r, LastSent: sent}
	}
	request := ledger.Revision{Method: "request", State: ledger.Sent}
	refused := ledger.Revision{Method: "request", State: ledger.Failed, Stage: "create", Permanent: true}
	later := ledger.Revision{Method: "request", State: ledger.Deferred, Stage: "create"}
	removed := ledger.Revision{Method: "remove", State: ledger.Failed, Stage: "calendar", Code: "no_calendar"}
	kept := ledger.Revision{Method: "remove", State: ledger.Failed, Stage: "create"}
	over := ledger.Revision{Method: "request", State: ledger.Expired, Stage: "policy"}
	group := []ledger.Entry{
		member("a@example.com", true, request, &request), member("b@example.com", true, removed, &request),
		member("c@example.com", true, refused, nil), member("d@example.com", true, kept, &request),
		member("e@example.com", true, refused, &request), member("f@example.com", true, later, nil),
		member("g@example.com", true, over, nil), member("h@example.com", true, over, &request),
	}
	names := func(g *mailer.Group) (all []string) {
		for _, r := range g.Recipients {
			all = append(all, r.Email)
		}
		return all
	}

	items := (&cancelCmd{ID: "x"}).items(group)
	require.Len(t, items, 1)
	require.NotNil(t, items[0].Group)
	assert.Equal(t, mailer.Cancel, items[0].Group.Method)
	assert.Equal(t, []string{"a@example.com", "d@example.com", "e@example.com", "f@example.com", "h@example.com"},
		names(items[0].Group))

	items = (&cancelCmd{ID: "x"}).items(group[2:3])
	require.Len(t, items, 1)
	assert.Equal(t, []string{"c@example.com"}, names(items[0].Group), "the mailer says how they stand")

	items = (&cancelCmd{ID: "x", Recipient: "A@example.com"}).items(group)
	require.Len(t, items, 1)
	require.NotNil(t, items[0].Err)
	assert.Equal(t, mailer.CodeFormChanged, items[0].Err.Code)

	both := append([]ledger.Entry{member("s@example.com", false, request, &request)}, group...)
	items = (&cancelCmd{ID: "x"}).items(both)
	require.Len(t, items, 2)
	assert.Equal(t, "s@example.com", items[0].Invite.Recipient.Email)
	assert.NotNil(t, items[1].Group)
	items = (&cancelCmd{ID: "x", Recipient: "S@Example.com"}).items(both)
	require.Len(t, items, 1)
	assert.Nil(t, items[0].Err)
	assert.Equal(t, "s@example.com", items[0].Invite.Recipient.Email)

	items = (&cancelCmd{ID: "x", Recipient: "new@example.com"}).items(nil)
	require.Len(t, items, 1)
	assert.Nil(t, items[0].Err)
	items = (&cancelCmd{ID: "x"}).items(nil)
	require.Len(t, items, 1)
	require.NotNil(t, items[0].Err)
	assert.Equal(t, mailer.CodeInvalid, items[0].Err.Code)
}
