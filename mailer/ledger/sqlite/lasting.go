package sqlite

// lasting is what a write outlives once its method has returned. It outlives the
// process in any case: what was written to the log is in the system's hands.
type lasting int

const (
	// process: the write outlives its process, however that ends. A power cut can
	// take the last of them, always so that of two writes the later one is lost.
	process lasting = iota
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

// sync makes the transactions that follow on the connection last as asked for.
func (l *Ledger) sync(c *conn, asked lasting) error {
	if l.unsynced || l.synced == asked {
		return nil
	}
	if err := c.script(pragmas[asked]); err != nil {
		return err
	}
	l.synced = asked
	return nil
}
