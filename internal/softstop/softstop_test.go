package softstop_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/softstop"
)

// TestWaiting: a wait ends with the stop, by its cause, and the call goes on.
func TestWaiting(t *testing.T) {
	t.Parallel()
	cause := errors.New("the run was stopped")
	stop, halt := context.WithCancelCause(t.Context())
	ctx, cancel := context.WithCancel(softstop.With(t.Context(), stop))
	defer cancel()
	waiting, done := softstop.Waiting(ctx)
	defer done()
	require.NoError(t, waiting.Err())
	require.NoError(t, softstop.Cause(ctx))

	halt(cause)
	<-waiting.Done()
	require.ErrorIs(t, context.Cause(waiting), cause)
	require.ErrorIs(t, softstop.Cause(ctx), cause)
	require.NoError(t, ctx.Err(), "what has begun is finished")

	late, done := softstop.Waiting(ctx)
	defer done()
	<-late.Done()
}

// TestWaitingEndsWithTheCall, and there need be no stop at all.
func TestWaitingEndsWithTheCall(t *testing.T) {
	t.Parallel()
	stop, halt := context.WithCancel(t.Context())
	defer halt()
	for _, parent := range []context.Context{t.Context(), softstop.With(t.Context(), stop)} {
		ctx, cancel := context.WithCancel(parent)
		waiting, done := softstop.Waiting(ctx)
		require.NoError(t, waiting.Err())
		cancel()
		<-waiting.Done()
		done()
		assert.NoError(t, softstop.Cause(ctx))
	}
}
