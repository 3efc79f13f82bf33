package sqlite

// durability is what a write outlives once its method has returned.
type durability int

const (
	// process: the write outlives its process, however that ends, since the system has it. A power
	// cut can undo the last of such writes, always a later one before an earlier one.
	process durability = iota
	// power: the write was synced to the disk, and with it all that came before.
	power
)

// pragmas are what SQLite is told before a transaction
// (https://www.sqlite.org/pragma.html#pragma_synchronous). In a log, NORMAL syncs
// at checkpoints only, as they must never overtake the log.
var pragmas = [...]string{
	process: "PRAGMA synchronous = NORMAL",
	power:   "PRAGMA synchronous = FULL",
}

// sync gives the transactions that follow on the connection that durability.
func (l *Ledger) sync(c *conn, asked durability) error {
	if l.unsynced || l.synced == asked {
		return nil
	}
	if err := c.script(pragmas[asked]); err != nil {
		return err
	}
	l.synced = asked
	return nil
}
