package main

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/invitemailer/invitemailer/mailer"
)

func TestEMLName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id, recipient string
		kind          mailer.Kind
		want          string
	}{
		{"board-meeting", "ada@example.com", mailer.Invitation, "board-meeting-to-ada@example.com.eml"},
		{"board-meeting", "ada@example.com", mailer.Update, "board-meeting-to-ada@example.com.eml"},
		{"board-meeting", "ada@example.com", mailer.Cancellation, "board-meeting-to-ada@example.com.cancellation.eml"},
		{"board-meeting", "ada@example.com", mailer.Withdrawal, "board-meeting-to-ada@example.com.withdrawal.eml"},
		{"evt_17", "a+b@example.com", mailer.Invitation, "evt_17-to-a+b@example.com.eml"},
		{"../up", "ada@example.com", mailer.Invitation, "-.-up-to-ada@example.com-5cf4b47c.eml"},
		{"way-to-go", "ada@example.com", mailer.Invitation, "way-to-go-to-ada@example.com-cd7be952.eml"},
	} {
		assert.Equal(t, c.want, emlName(c.id, c.recipient, c.kind))
	}
}

// TestEMLNameIsSafeAndUnique holds the names against what ids and addresses can
// be made of by an attacker who wishes to write elsewhere, or over another's mail.
func TestEMLNameIsSafeAndUnique(t *testing.T) {
	t.Parallel()
	safe := regexp.MustCompile(`^[-A-Za-z0-9_@+][-A-Za-z0-9_@+.]*\.eml$`)
	part := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[a-c./\\ -]{1,6}(-to-[ab]{0,2}){0,2}`),
		rapid.StringMatching(`[a-z]{30,60}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		id, to := part.Draw(t, "id"), part.Draw(t, "recipient")
		name := emlName(id, to, mailer.Cancellation)
		assert.Regexp(t, safe, name)
		assert.LessOrEqual(t, len(name), 110)
		assert.Equal(t, name, filepath.Base(name))
		assert.True(t, filepath.IsLocal(name))
		otherID, otherTo := part.Draw(t, "other id"), part.Draw(t, "other recipient")
		if otherID != id || otherTo != to {
			assert.NotEqual(t, name, emlName(otherID, otherTo, mailer.Cancellation))
		}
	})
}

// TestEMLNameSeparator: the separator inside an id does not make two invites
// share a file.
func TestEMLNameSeparator(t *testing.T) {
	t.Parallel()
	assert.NotEqual(t, emlName("a-to-b", "c", mailer.Invitation), emlName("a", "b-to-c", mailer.Invitation))
	assert.NotEqual(t, emlName("a-to", "to-b", mailer.Invitation), emlName("a", "to-to-b", mailer.Invitation))
}
