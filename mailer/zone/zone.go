// Package zone finds time zones by their names. To read one from the time zone database takes as long as a fifth of reading the
// calendar that names it, and each mail asks for its zones several times: [Zones] remembers them.
package zone

import (
	"sync"
	"time"
	_ "time/tzdata" // The IANA database travels with the program.
)

// most is how many names are remembered. The database, which does not change while a program runs, has some 600; the limit is for
// those who find one zone under many, as Europe/./London in a file system.
const most = 2000

// Zones remembers the zones that were asked for. The zero value is ready to use, by several goroutines at once; a nil *Zones works as
// well, and remembers nothing.
type Zones struct {
	mu     sync.RWMutex
	byName map[string]*time.Location
}

// Load returns the zone that has that name in the IANA time zone database, and whether there is one. The zone of the machine, by the
// name Local or by none, is not there.
func (z *Zones) Load(name string) (*time.Location, bool) {
	if name == "" || name == "Local" {
		return nil, false
	}
	if location, ok := z.remembered(name); ok {
		return location, true
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	z.remember(name, location)
	return location, true
}

func (z *Zones) remembered(name string) (location *time.Location, ok bool) {
	if z == nil {
		return nil, false
	}
	z.mu.RLock()
	defer z.mu.RUnlock()
	location, ok = z.byName[name]
	return location, ok
}

func (z *Zones) remember(name string, location *time.Location) {
	if z == nil {
		return
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.byName == nil {
		z.byName = make(map[string]*time.Location)
	}
	if len(z.byName) < most {
		z.byName[name] = location
	}
}
