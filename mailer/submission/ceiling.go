package submission

import "time"

// When the number of connections grows again.
const (
	firstGrowth = time.Minute      // after the server wanted fewer connections, one more is tried
	maxGrowth   = 15 * time.Minute // doubled with each one that it refuses up to this
)

// ceiling is how many connections there may be. It is lowered when the server
// turns one away while others stand, and grows by one at a time, when there is
// work for one more.
type ceiling struct {
	most  int // Config.Connections
	now   int
	after time.Time     // when it may grow
	every time.Duration // how long that takes
	grew  bool          // and it is not known whether the server likes it
}

// lower is for a server that wants no more than n connections.
func (c *ceiling) lower(n int, now time.Time) {
	c.now = max(1, min(c.now, n))
	switch {
	case c.every == 0:
		c.every = firstGrowth
	case c.grew:
		c.every = min(maxGrowth, 2*c.every)
	}
	c.grew = false
	c.after = now.Add(c.every)
}

// grow raises the ceiling by one if it is time.
func (c *ceiling) grow(now time.Time) bool {
	if c.now >= c.most || now.Before(c.after) {
		return false
	}
	c.now++
	c.grew = true
	c.after = now.Add(c.every)
	return true
}

// stood is for a connection that the server took.
func (c *ceiling) stood() {
	c.grew = false
	if c.now == c.most {
		c.every = 0
	}
}

// forget is for a server that is not there at all: how many connections it
// will want is not known.
func (c *ceiling) forget() { *c = ceiling{most: c.most, now: c.most} }
