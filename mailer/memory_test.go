package mailer_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger/sqlite"
)

// memoryLedger opens a ledger in memory until the test ends.
func memoryLedger(t testing.TB) *sqlite.Ledger {
	t.Helper()
	l, err := sqlite.Open(t.Context(), sqlite.Options{Memory: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Shutdown(context.Background())) })
	return l
}
