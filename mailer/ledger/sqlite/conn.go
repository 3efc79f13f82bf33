package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	modernc "modernc.org/sqlite"
)

// statement is SQL that is prepared once a connection and then kept.
type statement struct{ sql string }

// conn is one connection, used by one goroutine at a time.
//
// It talks to the driver without database/sql in between: a lookup takes a few
// microseconds, of which the pool, the conversions and the watching of contexts
// of that package would be the larger part.
type conn struct {
	driver interface {
		driver.Conn
		driver.ConnPrepareContext
		IsReadOnly(schema string) (bool, error)
	}
	kept map[*statement]prepared
	args []driver.NamedValue
	row  []driver.Value

	lasting lasting // of a transaction that begins now
}

type prepared interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

func connect(ctx context.Context, dsn string) (*conn, error) {
	connector, err := modernc.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	opened, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c := &conn{kept: make(map[*statement]prepared)}
	var ok bool
	if c.driver, ok = opened.(interface {
		driver.Conn
		driver.ConnPrepareContext
		IsReadOnly(schema string) (bool, error)
	}); !ok {
		return nil, errors.Join(fmt.Errorf("connection of type %T is not one of modernc.org/sqlite", opened), opened.Close())
	}
	return c, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.kept {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.driver.Close())...)
}

func (c *conn) prepare(ctx context.Context, s *statement) (prepared, error) {
	if p, ok := c.kept[s]; ok {
		return p, nil
	}
	stmt, err := c.driver.PrepareContext(ctx, s.sql)
	if err != nil {
		return nil, err
	}
	p, ok := stmt.(prepared)
	if !ok {
		return nil, errors.Join(fmt.Errorf("statement of type %T is not one of modernc.org/sqlite", stmt), stmt.Close())
	}
	c.kept[s] = p
	return p, nil
}

// bind takes int, int64, bool, string, []byte, time.Time and nil.
func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		switch v := a.(type) {
		case int:
			a = int64(v)
		case time.Time:
			a = nil
			if !v.IsZero() {
				a = v.UnixMicro()
			}
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

// exec runs a kept statement to its end and tells how many rows it changed.
//
// It is not given a context, as nothing but the begin of a transaction waits,
// and to stop a transaction in its middle helps nobody.
func (c *conn) exec(s *statement, args ...any) (changed int64, err error) {
	return c.execContext(context.Background(), s, args...)
}

// insert runs a kept statement that inserts one row and returns the row's id.
func (c *conn) insert(s *statement, args ...any) (id int64, err error) {
	res, err := c.run(context.Background(), s, args)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

func (c *conn) execContext(ctx context.Context, s *statement, args ...any) (changed int64, err error) {
	res, err := c.run(ctx, s, args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (c *conn) run(ctx context.Context, s *statement, args []any) (driver.Result, error) {
	p, err := c.prepare(ctx, s)
	if err != nil {
		return nil, err
	}
	return p.ExecContext(ctx, c.bind(args))
}

// script runs SQL that is not worth keeping, of one statement or several.
func (c *conn) script(ctx context.Context, sql string) error {
	s := statement{sql}
	_, err := c.execContext(ctx, &s)
	if p, ok := c.kept[&s]; ok {
		delete(c.kept, &s)
		err = errors.Join(err, p.Close())
	}
	return err
}

// query calls each for every row. The record is good until each returns.
//
// Like exec it is not given a context: in a log, reading waits for nobody.
func (c *conn) query(s *statement, each func(*record) error, args ...any) error {
	return c.queryContext(context.Background(), s, each, args...)
}

func (c *conn) queryContext(ctx context.Context, s *statement, each func(*record) error, args ...any) (err error) {
	p, err := c.prepare(ctx, s)
	if err != nil {
		return err
	}
	rows, err := p.QueryContext(ctx, c.bind(args))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	n := len(rows.Columns())
	if cap(c.row) < n {
		c.row = make([]driver.Value, n)
	}
	rec := record{values: c.row[:n]}
	for {
		switch err := rows.Next(rec.values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		rec.next = 0
		if err := each(&rec); err != nil {
			return err
		}
	}
}

// exists tells whether there is a row.
func (c *conn) exists(s *statement, args ...any) (found bool, err error) {
	err = c.query(s, func(*record) error {
		found = true
		return nil
	}, args...)
	return found, err
}

// record hands out the columns of a row from left to right.
type record struct {
	values []driver.Value
	next   int
}

func (r *record) value() driver.Value {
	v := r.values[r.next]
	r.next++
	return v
}

func (r *record) text() string {
	s, _ := r.value().(string)
	return s
}

func (r *record) bytes() []byte {
	b, _ := r.value().([]byte)
	return b
}

func (r *record) int64() int64 {
	n, _ := r.value().(int64)
	return n
}

func (r *record) int() int { return int(r.int64()) }

func (r *record) bool() bool { return r.int64() != 0 }
