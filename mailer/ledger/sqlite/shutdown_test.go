package sqlite

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestShutdown: it waits for what is in hand as long as its context lets it, and
// can be called again.
func TestShutdown(t *testing.T) {
	t.Parallel()
	l := openFile(t, filepath.Join(t.TempDir(), "ledger.sqlite"))
	began, end := make(chan struct{}), make(chan struct{})
	reading := make(chan error, 1)
	go func() {
		reading <- l.read(t.Context(), "reading", func(*conn) error {
			close(began)
			<-end
			return nil
		})
	}()
	<-began
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, l.Shutdown(ended), context.Canceled)
	close(end)
	require.NoError(t, l.Shutdown(t.Context()))
	require.NoError(t, <-reading, "it was finished")
	assert.NoError(t, l.Shutdown(t.Context()))
	assert.NoError(t, l.Close())
}
