package mailer_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// A closed Submitter is no refusal: the invite is deferred, at once, nothing is
// remembered against it, and the next run sends it.
func TestClosedSubmitterDefers(t *testing.T) {
	t.Parallel()
	h := newRecordedFixture(t, nil)
	closed := h.submitter(t)
	require.NoError(t, closed.Shutdown(t.Context()))
	open := h.cfg.Submitter
	h.cfg.Submitter = closed
	r := h.send(t, boardMeeting())
	assert.Equal(t, mailer.Deferred, r.Outcome)
	require.NotNil(t, r.Error)
	assert.Equal(t, mailer.CodeNotBegun, r.Error.Code)
	assert.True(t, r.Error.Temporary)
	assert.False(t, r.Error.Permanent)
	require.ErrorIs(t, r.Error, submission.ErrClosed)

	invite := boardMeeting()
	var results []mailer.Result
	items := slices.Values([]mailer.Item{{Invite: &invite}})
	require.NoError(t, h.mailer(t).SendAll(context.Background(), items,
		mailer.RunOptions{RetryFor: 2 * time.Second}, func(r mailer.Result) { results = append(results, r) }))
	require.Len(t, results, 1)
	assert.Equal(t, mailer.Deferred, results[0].Receipts[0].Outcome)
	assert.Equal(t, 2, results[0].Receipts[0].Attempts,
		"one for each run: a closed Submitter never does better: it is not tried again in the run")

	h.cfg.Submitter = open
	assert.Equal(t, mailer.Sent, h.send(t, boardMeeting()).Outcome)
}
