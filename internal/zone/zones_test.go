package zone

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The names of the machine's own zone must not be found: a mail would tell another time on another
// machine.
func TestZonesLoad(t *testing.T) {
	t.Parallel()
	for who, z := range map[string]*Zones{"remembering": new(Zones), "nil": nil} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			for _, name := range []string{"Europe/London", "UTC", "Asia/Kolkata"} {
				first, ok := z.Load(name)
				require.True(t, ok, name)
				assert.Equal(t, name, first.String())
				again, ok := z.Load(name)
				require.True(t, ok, name)
				assert.Equal(t, first.String(), again.String())
				if z != nil && name != "UTC" {
					assert.Same(t, first, again, "it is remembered")
				}
			}
			for _, name := range []string{"", "Local", "W. Europe Standard Time", "Europe/Nowhere", "../etc/passwd",
				"/etc/localtime", "localtime", "posixrules"} {
				_, ok := z.Load(name)
				assert.False(t, ok, name)
			}
		})
	}
}

// Names come from calendars that strangers wrote: whatever they write, the memory stays small, and
// zones are still found.
func TestLimit(t *testing.T) {
	t.Parallel()
	var z Zones
	utc, ok := z.Load("UTC")
	require.True(t, ok)
	for i := range 2 * most {
		z.remember(strings.Repeat("/", i)+"UTC", utc)
	}
	assert.Len(t, z.byName, most)
	location, ok := z.Load("Europe/Oslo")
	assert.True(t, ok)
	assert.Equal(t, "Europe/Oslo", location.String())
	assert.Len(t, z.byName, most)
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	var z Zones
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, name := range []string{"America/New_York", "Europe/Berlin", "Asia/Tokyo", "nowhere"} {
				_, ok := z.Load(name)
				assert.Equal(t, name != "nowhere", ok, name)
			}
		})
	}
	all.Wait()
	assert.Len(t, z.byName, 3)
}
