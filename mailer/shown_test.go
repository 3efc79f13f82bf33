package mailer_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
)

// TestMadeUpFieldsAreShownPlain: the names of fields that nobody knows come from
// outside, and there may be any number of them.
func TestMadeUpFieldsAreShownPlain(t *testing.T) {
	t.Parallel()
	h := newFixture(t, nil)
	h.cfg.DryRun = true
	i := boardMeeting()
	i.Event.Extra = map[string]json.RawMessage{"\x1b[31m\u202e": json.RawMessage("1")}
	for n := range 20_000 {
		i.Event.Extra[fmt.Sprintf("x%05d", n)] = json.RawMessage("1")
	}
	r := h.send(t, i)
	require.Equal(t, mailer.Valid, r.Outcome)
	require.Len(t, r.Findings, 8)
	assert.Equal(t, `event.\x1b[31m\u202e`, r.Findings[0].Field)
	assert.Contains(t, r.Findings[7].Message, "19993 more")
	for _, f := range r.Findings {
		for _, c := range f.Field + f.Message {
			assert.True(t, unicode.IsGraphic(c), "%q", c)
		}
	}
}

// TestManyProblemsAreCounted: whoever gives 1,000 wrong addresses is not told of each.
func TestManyProblemsAreCounted(t *testing.T) {
	t.Parallel()
	g := group(1000)
	for i := range g.Recipients {
		g.Recipients[i].Email = "nobody"
	}
	_, err := newFixture(t, nil).mailer(t).SendGroup(t.Context(), g)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "; and 992 more")
	assert.Less(t, len(err.Error()), 2000)
}
