package backoff

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestBound: bounds double up to the longest, and stay there however often it fails.
func TestBound(t *testing.T) {
	t.Parallel()
	b := Backoff{First: time.Second, Max: 30 * time.Second}
	for failures, want := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 5: 16 * time.Second,
		6: 30 * time.Second, 7: 30 * time.Second,
		64: 30 * time.Second, math.MaxInt: 30 * time.Second,
	} {
		assert.Equal(t, want, b.bound(failures), "%d failures", failures)
	}
	assert.Equal(t, time.Second, Backoff{First: time.Minute, Max: time.Second}.bound(1))
	most := Backoff{First: time.Second, Max: math.MaxInt64 / 2}
	assert.Equal(t, most.Max, most.bound(100), "nothing overflows")
}

// TestJitter: waits stay between their ends, whatever number the source of randomness gives.
func TestJitter(t *testing.T) {
	t.Parallel()
	b := Backoff{First: time.Second, Max: 8 * time.Second}
	for _, c := range []struct {
		random     float64
		full, half time.Duration
	}{
		{0, 0, time.Second}, {0.5, time.Second, 1500 * time.Millisecond}, {1, 2 * time.Second, 2 * time.Second},
		{-1, 0, time.Second}, {7, 2 * time.Second, 2 * time.Second},
	} {
		assert.Equal(t, c.full, b.Full(2, c.random), c.random)
		assert.Equal(t, c.half, b.Half(2, c.random), c.random)
	}
}
