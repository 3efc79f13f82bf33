package waiting_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/waiting"
)

// TestUntil: a wait ends with the stop, by its cause, and what it is for does not.
func TestUntil(t *testing.T) {
	t.Parallel()
	cause := errors.New("the run was stopped")
	stop := make(chan struct{})
	wait, done := waiting.Until(t.Context(), stop, cause)
	defer done()
	require.NoError(t, wait.Err())

	close(stop)
	<-wait.Done()
	require.ErrorIs(t, context.Cause(wait), cause)
	require.NoError(t, t.Context().Err(), "what has begun is finished")

	late, done := waiting.Until(t.Context(), stop, cause)
	defer done()
	require.ErrorIs(t, context.Cause(late), cause, "a wait that comes later has ended from the start")
}

// TestUntilEndsWithTheCall, and there need be no stop at all.
func TestUntilEndsWithTheCall(t *testing.T) {
	t.Parallel()
	for _, stop := range []chan struct{}{nil, make(chan struct{})} {
		ctx, cancel := context.WithCancelCause(t.Context())
		wait, done := waiting.Until(ctx, stop, errors.New("another cause"))
		require.NoError(t, wait.Err())
		cause := errors.New("the caller hung up")
		cancel(cause)
		<-wait.Done()
		done()
		assert.ErrorIs(t, context.Cause(wait), cause)
	}
}

// TestUntilLeavesNobodyWaiting: synctest fails if a goroutine is left.
func TestUntilLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, done := waiting.Until(t.Context(), make(chan struct{}), context.Canceled)
		done()
	})
}
