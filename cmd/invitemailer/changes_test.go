package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
	"github.com/invitemailer/invitemailer/mailer/rsvp"
)

// TestChangesAreShownPlain: a comment may hold anything, and is written to a terminal
// where serve runs in one. Programs read it as it came.
func TestChangesAreShownPlain(t *testing.T) {
	t.Parallel()
	const comment = "\x1b[31m\u009b\u202e\x7f é"
	var out bytes.Buffer
	r := (&invocation{Stdout: newOutput(&out, t.Context())}).results(true)
	change := rsvp.Change{InviteID: "a", After: ledger.RSVP{Status: "accepted", Comment: comment}}
	require.NoError(t, r.put(t.Context(), newChangeLine(&change)))
	for _, r := range strings.TrimSuffix(out.String(), "\n") {
		assert.True(t, unicode.IsGraphic(r), "%q", r)
	}
	var line changeLine
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	assert.Equal(t, comment, line.RSVP.Comment)
}
