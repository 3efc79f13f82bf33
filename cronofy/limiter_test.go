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

// The law, for any limits and any crowd, some of whom give up: whenever the
// requests arrive between their begin and their end, never more of them in a
// window than allowed; first come first served; and none waits longer than
// that requires.
func TestLimiterLaw(t *testing.T) {
	t.Parallel()
	type visitor struct {
		arrival, givesUpAfter time.Duration // 0: never
		takes                 time.Duration // from begin to end
		start                 time.Duration
		started               bool
	}
	rapid.Check(t, func(rt *rapid.T) {
		perSecond := rapid.IntRange(0, 4).Draw(rt, "per second")
		perMinute := rapid.IntRange(0, 12).Draw(rt, "per minute")
		visitors := make([]visitor, rapid.IntRange(1, 40).Draw(rt, "visitors"))
		var clock time.Duration
		for i := range visitors {
			// Odd nanoseconds keep arrivals, ends and ends of waits apart.
			clock += time.Duration(rapid.IntRange(0, 3000).Draw(rt, "gap"))*time.Millisecond + 1
			visitors[i].arrival = clock
			visitors[i].takes = time.Duration(
				rapid.IntRange(0, 5000).Draw(rt, "takes"),
			)*time.Millisecond + 100*time.Nanosecond
			if rapid.IntRange(0, 3).Draw(rt, "gives up") == 0 {
				visitors[i].givesUpAfter = time.Duration(
					rapid.IntRange(1, 90_000).Draw(rt, "gives up after"),
				)*time.Millisecond + 10*time.Microsecond
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
					if v.givesUpAfter > 0 {
						defer time.AfterFunc(v.givesUpAfter, cancel).Stop()
					}
					v.started = l.begin(ctx, time.Hour) == nil
					v.start = time.Since(begin)
					if v.started {
						time.Sleep(v.takes)
						l.end()
					}
				})
			}
			group.Wait()
		})
		var starts, ends, arrivals []time.Duration
		slotFree := func(limit int, length time.Duration) time.Duration {
			if limit <= 0 || len(ends) < limit {
				return 0
			}
			slices.Sort(ends)
			return ends[len(ends)-limit] + length + windowGuard
		}
		for i, v := range visitors {
			if !v.started {
				if v.givesUpAfter == 0 || v.start != v.arrival+v.givesUpAfter {
					rt.Fatalf(
						"visitor %d gave up at %v: arrived %v, to give up after %v",
						i,
						v.start,
						v.arrival,
						v.givesUpAfter,
					)
				}
				continue
			}
			earliest := max(v.arrival, slotFree(perSecond, time.Second), slotFree(perMinute, time.Minute))
			if n := len(starts); n > 0 {
				earliest = max(earliest, starts[n-1])
			}
			if v.start != earliest {
				rt.Fatalf("visitor %d started at %v, want %v", i, v.start, earliest)
			}
			starts, ends = append(starts, v.start), append(ends, v.start+v.takes)
			arrivals = append(
				arrivals,
				v.start+time.Duration(rapid.Int64Range(0, int64(v.takes)).Draw(rt, "arrives after")),
			)
		}
		if !slices.IsSorted(starts) {
			rt.Fatalf("one was overtaken: %v", starts)
		}
		slices.Sort(arrivals)
		if n := worstWindow(arrivals, time.Second); perSecond > 0 && n > perSecond {
			rt.Fatalf("%d arrivals in a second", n)
		}
		if n := worstWindow(arrivals, time.Minute); perMinute > 0 && n > perMinute {
			rt.Fatalf("%d arrivals in a minute", n)
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
				if assert.NoError(t, l.begin(t.Context(), time.Minute)) {
					order <- i
					l.end()
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
		require.NoError(t, l.begin(t.Context(), 0))
		l.end()
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, l.begin(ctx, 0), context.DeadlineExceeded)
		assert.Zero(t, time.Since(begin))
		require.NoError(t, l.begin(t.Context(), time.Minute))
		assert.Equal(t, time.Second+windowGuard, time.Since(begin))
	})
}

// While all places are taken by requests under way there is no time to wait
// for: the end of one of them counts, and a context that ends.
func TestLimiterWaitsForAnEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(2, -1)
		begin := time.Now()
		require.NoError(t, l.begin(t.Context(), 0))
		require.NoError(t, l.begin(t.Context(), 0))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		require.ErrorIs(t, l.begin(ctx, 0), context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(begin))

		time.AfterFunc(2*time.Second, l.end)
		require.NoError(t, l.begin(t.Context(), 0))
		assert.Equal(t, 6*time.Second+windowGuard, time.Since(begin))
	})
}

// A hold stops all, also those already waiting, also without limits of
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
				assert.NoError(t, l.begin(t.Context(), 30*time.Second))
				assert.Equal(t, 10*time.Second, time.Since(begin))
			})
		}
		synctest.Wait()
		l.hold(10 * time.Second)
		l.hold(time.Second)
		group.Wait()

		l.hold(time.Hour)
		var held *Error
		require.ErrorAs(t, l.begin(t.Context(), 30*time.Second), &held)
		assert.Equal(t, Error{Status: 429, Local: true, RetryAfter: time.Hour}, *held)
	})
}
