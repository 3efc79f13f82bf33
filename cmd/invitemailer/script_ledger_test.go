package main

import (
	"context"
	"database/sql"

	"github.com/rogpeppe/go-internal/testscript"
)

// openSQL opens a ledger as another program would.
func openSQL(file string) (*sql.Conn, func() error, error) {
	db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, nil, err
	}
	c, err := db.Conn(context.Background())
	if err != nil {
		return nil, nil, err
	}
	return c, db.Close, nil
}

func execSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql FILE STATEMENT")
	}
	c, done, err := openSQL(ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = c.ExecContext(context.Background(), args[1])
	ts.Check(err)
	ts.Check(c.Close())
	ts.Check(done())
}

// held is the lock that a script holds, kept in its values under heldKey.
type held struct{ release func() error }

type heldKey struct{}

func lock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: lock FILE")
	}
	release, err := lockLedger(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Value(heldKey{}).(*held).release = release
}

func unlock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: unlock")
	}
	ts.Check(ts.Value(heldKey{}).(*held).release())
}

// lockLedger takes a ledger's lock for writing and keeps it.
func lockLedger(file string) (release func() error, err error) {
	c, done, err := openSQL(file)
	if err != nil {
		return nil, err
	}
	if _, err := c.ExecContext(context.Background(), "BEGIN IMMEDIATE"); err != nil {
		_ = done()
		return nil, err
	}
	return func() error {
		if _, err := c.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			return err
		}
		if err := c.Close(); err != nil {
			return err
		}
		return done()
	}, nil
}
