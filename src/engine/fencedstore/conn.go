package fencedstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"wagate.dev/src/engine/keystore"
)

// mostOfOne is how many of the connections one session may use at a time.
const mostOfOne = 4

// rollbackPatience is how long an undone transaction may take to be undone; the connection is given up then.
const rollbackPatience = 2 * time.Second

// connector borrows connections from a pool, for one session.
type connector struct {
	driver.Connector
	schema string
	held   *hold
}

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, c.held.judge(err)
	}
	borrowed := opened.(*stdlib.Conn)
	if err := enter(ctx, borrowed.Conn(), c.schema); err != nil {
		return nil, errors.Join(c.held.judge(err), borrowed.Close())
	}
	return &conn{Conn: borrowed, held: c.held}, nil
}

// conn is a connection on which nothing is written but in transactions that hold the session. database/sql lets one at a
// time use it.
type conn struct {
	*stdlib.Conn
	held   *hold
	inside *transaction // nil outside
}

// BeginTx begins a transaction that holds the session, if it is still ours.
func (c *conn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	begin := c.held.begin
	if keystore.MayBeLazy(ctx) {
		begin = c.held.beginLazily
	}
	if _, err := c.Conn.Conn().Exec(ctx, begin); err != nil {
		c.undo(ctx)
		return nil, c.beforeAnything(ctx, err)
	}
	c.inside = &transaction{ctx: ctx, conn: c}
	return c.inside, nil
}

// undo ends a transaction without a trace.
func (c *conn) undo(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackPatience)
	defer cancel()
	c.inside = nil
	if raw := c.Conn.Conn(); !raw.IsClosed() && raw.PgConn().TxStatus() != 'I' {
		raw.Exec(ctx, "rollback") //nolint:errcheck // The pool throws away what is still in a transaction.
	}
}

// ExecContext writes; outside a transaction, in one of its own.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if c.inside != nil {
		return c.inside.write(query, args), nil
	}
	if _, err := c.BeginTx(ctx, driver.TxOptions{}); err != nil {
		return nil, err
	}
	began := c.inside
	done := began.write(query, args)
	return done, began.Commit()
}

// QueryContext reads. What would write as well is refused by the database, outside a transaction.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.inside != nil {
		if err := c.inside.send(ctx, false); err != nil {
			return nil, err
		}
	}
	found, err := c.Conn.QueryContext(ctx, query, args)
	switch {
	case err == nil:
		return &rows{found, c.held}, nil
	case c.inside != nil:
		return nil, c.held.judge(err)
	default:
		return nil, c.beforeAnything(ctx, err)
	}
}

// beforeAnything judges trouble before anything was written. If the connection was broken, as after a restart of the
// database, another one is tried.
func (c *conn) beforeAnything(ctx context.Context, err error) error {
	if c.Conn.Conn().IsClosed() && ctx.Err() == nil {
		return driver.ErrBadConn
	}
	return c.held.judge(err)
}

// PrepareContext is refused: what is prepared would be executed past the fence, and connections keep statements anyway.
func (c *conn) PrepareContext(context.Context, string) (driver.Stmt, error) {
	return nil, errors.New("statements are not prepared here")
}

// rows are what was read; what goes wrong meanwhile is trouble with the store.
type rows struct {
	driver.Rows
	held *hold
}

func (r *rows) Next(into []driver.Value) error {
	err := r.Rows.Next(into)
	if err == nil || err == io.EOF {
		return err
	}
	return r.held.judge(err)
}

// hold is one opening of a session: what its transactions begin with, and whether it was lost.
type hold struct {
	begin, beginLazily string
	lost               chan struct{} // holds one sign that it is
}

func newHold(session, holder string) *hold {
	check := "select engine_hold(" + quoted(session) + "," + quoted(holder) + ")"
	return &hold{
		begin:       "begin read write; " + check,
		beginLazily: "begin read write; set local synchronous_commit to off; " + check,
		lost:        make(chan struct{}, 1),
	}
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// judge tells the loss of the session from other trouble, and trouble from what is none.
func (h *hold) judge(err error) error {
	var said *pgconn.PgError
	switch {
	case err == nil || errors.Is(err, driver.ErrBadConn):
		return err
	case errors.As(err, &said) && said.Code == taken:
		select {
		case h.lost <- struct{}{}:
		default:
		}
		return &keystore.Trouble{Err: keystore.ErrTaken}
	}
	return &keystore.Trouble{Err: err}
}
