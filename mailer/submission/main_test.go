package submission_test

import (
	"testing"

	"go.uber.org/goleak"
)

// No test may leave a goroutine behind: not ours, not the servers'.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
