package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	modernc "modernc.org/sqlite"
)

// openDB opens a database of that many connections at most, all of which stay open.
func openDB(dsn string, connections int) (*sql.DB, error) {
	connector, err := modernc.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// conn is what SQL is given to, for as long as ctx lasts: the connections for
// reading, or the one for writing. Statements are prepared once and then kept.
//
// Nothing may be asked while the rows of something else are read: it would take
// one more of the connections for reading.
type conn struct {
	ctx context.Context
	*statements
}

type statements struct {
	on interface { // *sql.DB or *sql.Conn
		PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	}
	kept sync.Map // of *sql.Stmt, by their text
}

func (c *conn) prepare(text string) (*sql.Stmt, error) {
	if kept, ok := c.kept.Load(text); ok {
		return kept.(*sql.Stmt), nil
	}
	made, err := c.on.PrepareContext(c.ctx, text)
	if err != nil {
		return nil, err
	}
	kept, twice := c.kept.LoadOrStore(text, made)
	if twice {
		err = made.Close()
	}
	return kept.(*sql.Stmt), err
}

// close closes what is kept. A connection takes the log into the file only if
// nothing that was prepared on it is left when it is closed.
func (s *statements) close() error {
	var errs []error
	for _, kept := range s.kept.Range {
		errs = append(errs, kept.(*sql.Stmt).Close())
	}
	return errors.Join(errs...)
}

// within is c for as long as ctx lasts.
func (c *conn) within(ctx context.Context) *conn { return &conn{ctx, c.statements} }

// script runs SQL that is not to be kept, of one statement or several. Some pragmas
// take effect as they are prepared, so that they must not be.
func (c *conn) script(text string) error {
	_, err := c.on.ExecContext(c.ctx, text)
	return err
}

// exec runs a statement to its end.
func (c *conn) exec(text string, args ...any) error {
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(c.ctx, bind(args)...)
	return err
}

// query calls each for every row.
func (c *conn) query(text string, each func(*sql.Rows) error, args ...any) (err error) {
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(c.ctx, bind(args)...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// get reads one row and tells whether there is one.
func (c *conn) get(to []any, text string, args ...any) (found bool, err error) {
	err = c.query(text, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(to...)
	}, args...)
	return found, err
}

// bind makes of times what stands for them in the file: microseconds since 1970, or
// NULL for one that is not known.
func bind(args []any) []any {
	for i, a := range args {
		if t, ok := a.(time.Time); ok {
			args[i] = nil
			if !t.IsZero() {
				args[i] = t.UnixMicro()
			}
		}
	}
	return args
}

// micros scans a time.
type micros time.Time

// Scan implements sql.Scanner.
func (m *micros) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*m = micros{}
	case int64:
		*m = micros(time.UnixMicro(v).UTC())
	default:
		return fmt.Errorf("a time is kept as %T", value)
	}
	return nil
}

// orZero scans NULL, as where a join finds nothing, as zero.
type orZero[T any] struct{ to *T }

// Scan implements sql.Scanner.
func (z orZero[T]) Scan(value any) error {
	var n sql.Null[T]
	err := n.Scan(value)
	*z.to = n.V
	return err
}

func nullable[T any](to *T) orZero[T] { return orZero[T]{to} }

// writer lends the one connection that writes. In memory it reads, too: each connection has a
// memory of its own.
type writer struct {
	db   *sql.DB
	conn *sql.Conn
	statements
	lent chan struct{} // has an element while it is lent
}

func openWriter(ctx context.Context, dsn string) (*writer, error) {
	db, err := openDB(dsn, 1)
	if err != nil {
		return nil, err
	}
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &writer{db: db, conn: c, statements: statements{on: c}, lent: make(chan struct{}, 1)}, nil
}

// with lends the connection to fn, waiting for it as long as ctx allows. What fn
// has begun ctx does not end.
func (w *writer) with(ctx context.Context, fn func(*conn) error) error {
	return w.withUnless(ctx, nil, fn)
}

// withUnless is with, but stops waiting, without an error, once done is closed.
func (w *writer) withUnless(ctx context.Context, done <-chan struct{}, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case w.lent <- struct{}{}:
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-w.lent }()
	return fn(&conn{context.WithoutCancel(ctx), &w.statements})
}

// readOnly tells whether SQLite could open the file for reading only.
func (w *writer) readOnly() (yes bool, err error) {
	err = w.conn.Raw(func(driver any) (err error) {
		yes, err = driver.(interface {
			IsReadOnly(schema string) (bool, error)
		}).IsReadOnly("main")
		return err
	})
	return yes, err
}

func (w *writer) close() error {
	return errors.Join(w.statements.close(), w.conn.Close(), w.db.Close())
}
