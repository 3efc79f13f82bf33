package zone

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The names of the machine's own zone must not be found: a mail would tell another time on another machine.
func TestLoad(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Europe/London", "UTC", "Asia/Kolkata"} {
		first, ok := Load(name)
		require.True(t, ok, name)
		assert.Equal(t, name, first.String())
		again, ok := Load(name)
		require.True(t, ok, name)
		assert.Same(t, first, again, "it is remembered")
	}
	for _, name := range []string{"", "Local", "W. Europe Standard Time", "Europe/Nowhere", "../etc/passwd", "/etc/localtime"} {
		_, ok := Load(name)
		assert.False(t, ok, name)
	}
}

// Names come from calendars that strangers wrote: whatever they write, the memory stays small, and zones are still found.
func TestLimit(t *testing.T) {
	t.Parallel()
	few := zones{limit: 2}
	for _, name := range []string{"no/zone", "Europe/Paris", "Europe/Rome", "Europe/Oslo", "Europe/Oslo"} {
		location, ok := few.load(name)
		if ok {
			assert.Equal(t, name, location.String())
		}
	}
	assert.Len(t, few.byName, 2)
	assert.Contains(t, few.byName, "Europe/Paris")
	assert.Contains(t, few.byName, "Europe/Rome")
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	fresh := zones{limit: 3}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, name := range []string{"America/New_York", "Europe/Berlin", "Asia/Tokyo", "nowhere"} {
				_, ok := fresh.load(name)
				assert.Equal(t, name != "nowhere", ok, name)
			}
		})
	}
	all.Wait()
	assert.Len(t, fresh.byName, 3)
}
