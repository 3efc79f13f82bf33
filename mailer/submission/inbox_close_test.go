package submission_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// An inbox that is closed the moment it was started must not hang.
func TestInboxClosesAtOnce(t *testing.T) {
	t.Parallel()
	for range 200 {
		inbox := submissiontest.NewInbox(submissiontest.Options{})
		require.NoError(t, inbox.Start())
		require.NoError(t, inbox.Close())
	}
}
