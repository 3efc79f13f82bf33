// Package zone finds time zones by their names and remembers them: to read one from the time zone database takes as long as a fifth of
// reading the calendar that names it, and each mail asks for its zones several times.
package zone

import (
	"sync"
	"time"
	_ "time/tzdata" // The IANA database travels with the program.
)

// Load returns the zone that has that name in the IANA time zone database, and whether there is one. The zone of the machine, by the
// name Local or by none, is not there.
func Load(name string) (*time.Location, bool) { return known.load(name) }

// known is what was read of a database that does not change while the program runs. It has some 600 names; the limit is for those who
// find one zone under many, as Europe/./London in a file system.
var known = zones{limit: 2000}

type zones struct {
	limit int

	mu     sync.RWMutex
	byName map[string]*time.Location
}

func (z *zones) load(name string) (*time.Location, bool) {
	if name == "" || name == "Local" {
		return nil, false
	}
	z.mu.RLock()
	location, ok := z.byName[name]
	z.mu.RUnlock()
	if ok {
		return location, true
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.byName == nil {
		z.byName = map[string]*time.Location{}
	}
	if len(z.byName) < z.limit {
		z.byName[name] = location
	}
	return location, true
}
