package inflight_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/inflight"
)

func TestCallsAreWaitedFor(t *testing.T) {
	t.Parallel()
	c := inflight.New()
	require.True(t, c.Begin())
	require.True(t, c.Begin())
	c.End()
	assert.True(t, c.Close())
	assert.False(t, c.Close(), "it was closed before")
	assert.False(t, c.Begin())
	<-c.Closing()

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Equal(t, 1, c.Wait(ended))
	go c.End()
	assert.Zero(t, c.Wait(t.Context()))
	<-c.Idle()
	assert.Zero(t, c.Wait(ended), "what is idle is, whatever the context")
}

func TestNoCallIsIdleAtOnce(t *testing.T) {
	t.Parallel()
	c := inflight.New()
	assert.True(t, c.Close())
	assert.Zero(t, c.Wait(t.Context()))
}
