package ledgertest_test

import (
	"testing"

	"github.com/invitemailer/invitemailer/mailer/ledger/ledgertest"
)

// The model must keep the promises that it is the model of.
func TestMemory(t *testing.T) {
	factory := func(_ testing.TB, clock *ledgertest.Clock) ledgertest.Storage {
		return ledgertest.NewMemory(clock.Now)
	}
	t.Run("Conformance", func(t *testing.T) { ledgertest.Conformance(t, factory) })
	t.Run("Renewal", func(t *testing.T) { ledgertest.Renewal(t, factory) })
	t.Run("Answers", func(t *testing.T) { ledgertest.Answers(t, factory) })
	t.Run("Agreement", func(t *testing.T) { ledgertest.Agreement(t, factory) })
}
