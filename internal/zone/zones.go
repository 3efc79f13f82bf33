package zone

import (
	"sync"
	"time"
)

// most is how many names are remembered. The database, which does not change while a program runs,
// has some 600; the limit is for file systems that find one zone under many, as europe/london.
const most = 2000

// Zones remembers the zones that were asked for. To read one from the time zone database takes as
// long as a fifth of reading the calendar that names it, and each mail asks for its zones several
// times. The zero value is ready to use, by several goroutines at once; a nil *Zones works as well,
// and remembers nothing.
type Zones struct {
	mu     sync.RWMutex
	byName map[string]*time.Location
}

// Load returns the zone that has that name in the IANA time zone database, and whether there is
// one. The zone of the machine, by whatever name, is not there.
func (z *Zones) Load(name string) (*time.Location, bool) {
	if location, ok := z.remembered(name); ok {
		return location, true
	}
	location, ok := Load(name)
	if ok {
		z.remember(name, location)
	}
	return location, ok
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
