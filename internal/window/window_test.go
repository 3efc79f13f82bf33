package window

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

var noon = time.Date(2027, 4, 29, 12, 0, 0, 0, time.UTC)

func at(offset time.Duration) time.Time { return noon.Add(offset) }

// TestWaitsForTheOldest: room comes when the oldest event is as old as the window is long, and not
// a moment before.
func TestWaitsForTheOldest(t *testing.T) {
	t.Parallel()
	w := New(2, time.Minute)
	assert.Zero(t, w.Wait(noon))
	w.Add(noon)
	assert.Zero(t, w.Wait(at(10*time.Second)))
	w.Add(at(10 * time.Second))
	assert.Equal(t, 50*time.Second, w.Wait(at(10*time.Second)))
	assert.Equal(t, time.Nanosecond, w.Wait(at(time.Minute-1)))
	assert.Zero(t, w.Wait(at(time.Minute)))
	w.Add(at(time.Minute))
	assert.Equal(t, 10*time.Second, w.Wait(at(time.Minute)), "then the second")
	assert.Zero(t, w.Wait(at(time.Hour)))
}

// TestCountsFromTheEnd: an event holds its place while it goes on, and for the window's length
// after.
func TestCountsFromTheEnd(t *testing.T) {
	t.Parallel()
	w := New(1, time.Second)
	w.Begin()
	assert.Equal(t, UntilEnd, w.Wait(at(time.Hour)))
	w.End(at(time.Hour))
	assert.Equal(t, time.Second, w.Wait(at(time.Hour)))
	assert.Zero(t, w.Wait(at(time.Hour+time.Second)))

	w = New(2, time.Second)
	w.Begin()
	w.Add(noon)
	assert.Equal(t, time.Second, w.Wait(noon), "the other goes on")
	assert.Zero(t, w.Wait(at(time.Second)))
}

// TestNeverHoldsMore: whoever waits as long as it is told finds room at that moment, and no stretch
// of the length holds more than the limit.
func TestNeverHoldsMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		w := New(limit, time.Second)
		now := noon
		var events []time.Time
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "gap")) * time.Millisecond)
			wait := w.Wait(now)
			if wait > 0 && w.Wait(now.Add(wait-1)) <= 0 {
				t.Fatalf("there was room before %v had passed", wait)
			}
			now = now.Add(max(0, wait))
			if again := w.Wait(now); again > 0 {
				t.Fatalf("after %v another wait of %v", wait, again)
			}
			w.Add(now)
			events = append(events, now)
			if n := len(events); n > limit && now.Sub(events[n-1-limit]) < time.Second {
				t.Fatalf("%d events within a second", limit+1)
			}
		}
	})
}
