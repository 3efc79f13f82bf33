package ledgertest

import (
	"testing"
	"time"
)

// The model must keep the promises that it is the model of.
func TestModel(t *testing.T) {
	t.Parallel()
	factory := func(_ testing.TB, now func() time.Time) Storage { return newModel(now) }
	t.Run("Conformance", func(t *testing.T) { Conformance(t, factory) })
	t.Run("Renewal", func(t *testing.T) { Renewal(t, factory) })
	t.Run("Answers", func(t *testing.T) { Answers(t, factory) })
}
