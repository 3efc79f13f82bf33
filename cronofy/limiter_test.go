package cronofy

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// worstWindow is the largest number of starts in any window of that length.
func worstWindow(starts []time.Duration, length time.Duration) int {
	worst := 0
	for i, j := 0, 0; i < len(starts); i++ {
		for starts[i]-starts[j] >= length {
			j++
		}
		worst = max(worst, i-j+1)
	}
	return worst
}

// 1,200 requests at the API's limits take two minutes and the few seconds of
// the last burst: no window sees too many, and none is left unused.
func TestLimiterAtTheLimitsOfTheAPI(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(DefaultRatePerSecond, DefaultRatePerMinute)
		begin := time.Now()
		var (
			mu     sync.Mutex
			starts []time.Duration
			group  sync.WaitGroup
		)
		for range 1200 {
			group.Go(func() {
				if assert.NoError(t, l.wait(t.Context(), time.Minute)) {
					mu.Lock()
					defer mu.Unlock()
					starts = append(starts, time.Since(begin))
				}
			})
		}
		group.Wait()
		require.Len(t, starts, 1200)
		assert.Equal(t, DefaultRatePerSecond, worstWindow(starts, time.Second))
		assert.Equal(t, DefaultRatePerMinute, worstWindow(starts, time.Minute))
		assert.GreaterOrEqual(t, starts[1199], 2*time.Minute)
		assert.Less(t, starts[1199], 2*time.Minute+4*time.Second)
	})
}

// The law, for any limits and any crowd, some of whom give up: never more
// starts in a window than allowed, first come first served, and nobody waits
// longer than the law requires.
func TestLimiterLaw(t *testing.T) {
	t.Parallel()
	type visitor struct {
		arrival, patience time.Duration // patience 0 is no end of it
		start             time.Duration
		started           bool
	}
	rapid.Check(t, func(rt *rapid.T) {
		perSecond := rapid.IntRange(0, 4).Draw(rt, "per second")
		perMinute := rapid.IntRange(0, 12).Draw(rt, "per minute")
		visitors := make([]visitor, rapid.IntRange(1, 40).Draw(rt, "visitors"))
		var clock time.Duration
		for i := range visitors {
			// Odd nanoseconds keep arrivals and ends of patience apart.
			clock += time.Duration(rapid.IntRange(0, 3000).Draw(rt, "gap"))*time.Millisecond + 1
			visitors[i].arrival = clock
			if rapid.IntRange(0, 3).Draw(rt, "impatient") == 0 {
				visitors[i].patience = time.Duration(rapid.IntRange(1, 90_000).Draw(rt, "patience")) * time.Millisecond
			}
		}
		synctest.Test(t, func(t *testing.T) {
			l := newLimiter(perSecond, perMinute)
			begin := time.Now()
			var group sync.WaitGroup
			for i := range visitors {
				v := &visitors[i]
				group.Go(func() {
					time.Sleep(v.arrival)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					if v.patience > 0 {
						defer time.AfterFunc(v.patience, cancel).Stop()
					}
					v.started = l.wait(ctx, time.Hour) == nil
					v.start = time.Since(begin)
				})
			}
			group.Wait()
		})
		var starts []time.Duration
		for i, v := range visitors {
			if !v.started {
				if v.patience == 0 || v.start != v.arrival+v.patience {
					rt.Fatalf("visitor %d gave up at %v: arrived %v, patience %v", i, v.start, v.arrival, v.patience)
				}
				continue
			}
			earliest := v.arrival
			if n := len(starts); n > 0 {
				earliest = max(earliest, starts[n-1])
				if perSecond > 0 && n >= perSecond {
					earliest = max(earliest, starts[n-perSecond]+time.Second+windowGuard)
				}
				if perMinute > 0 && n >= perMinute {
					earliest = max(earliest, starts[n-perMinute]+time.Minute+windowGuard)
				}
			}
			if v.start != earliest {
				rt.Fatalf("visitor %d started at %v, want %v", i, v.start, earliest)
			}
			starts = append(starts, v.start)
		}
		if !slices.IsSorted(starts) {
			rt.Fatalf("somebody was overtaken: %v", starts)
		}
		if n := worstWindow(starts, time.Second); perSecond > 0 && n > perSecond {
			rt.Fatalf("%d starts in a second", n)
		}
		if n := worstWindow(starts, time.Minute); perMinute > 0 && n > perMinute {
			rt.Fatalf("%d starts in a minute", n)
		}
	})
}

// Those who come at the same instant are served in the order they stood in
// line, with one start at a time.
func TestLimiterIsFirstComeFirstServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, -1)
		order := make(chan int, 20)
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				if assert.NoError(t, l.wait(t.Context(), time.Minute)) {
					order <- i
				}
			})
			synctest.Wait() // i stands in line before the next one comes
		}
		group.Wait()
		for i := range 20 {
			assert.Equal(t, i, <-order)
		}
	})
}

// A deadline that would pass while waiting ends the wait at once, and leaves
// the slot to the next.
func TestLimiterDoesNotWaitInVain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, -1)
		require.NoError(t, l.wait(t.Context(), 0))
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, l.wait(ctx, 0), context.DeadlineExceeded)
		assert.Zero(t, time.Since(begin))
		require.NoError(t, l.wait(t.Context(), time.Minute))
		assert.Equal(t, time.Second+windowGuard, time.Since(begin))
	})
}

// A hold stops everybody, also those already waiting, also without limits of
// our own; a shorter one does not cut a longer one.
func TestLimiterHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(-1, -1)
		begin := time.Now()
		l.hold(5 * time.Second)
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				assert.NoError(t, l.wait(t.Context(), 30*time.Second))
				assert.Equal(t, 10*time.Second, time.Since(begin))
			})
		}
		synctest.Wait()
		l.hold(10 * time.Second)
		l.hold(time.Second)
		group.Wait()

		l.hold(time.Hour)
		var held *heldError
		require.ErrorAs(t, l.wait(t.Context(), 30*time.Second), &held)
		assert.Equal(t, time.Hour, held.wait)
	})
}
