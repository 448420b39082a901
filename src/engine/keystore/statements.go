package keystore

import (
	"context"
	"database/sql/driver"
	"strings"
)

// mostKept bounds the statements that a connection keeps. Few are used all the time; those that list many addresses differ
// each time.
const mostKept = 64

// remembering opens connections that keep the statements they have prepared: reading SQL anew each time takes a sixth of
// all the time that a message takes.
type remembering struct{ driver.Connector }

func (r remembering) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := r.Connector.Connect(ctx)
	if conn, ok := opened.(connection); ok && err == nil {
		return &rememberingConn{connection: conn, kept: make(map[string]*keptStatement), level: onDisk}, nil
	}
	return opened, err
}

// connection is what modernc.org/sqlite opens.
type connection interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// statement is what modernc.org/sqlite prepares.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type keptStatement struct {
	statement
	isRead bool // its rows are being read
}

// rememberingConn is one connection; database/sql lets one at a time use it.
type rememberingConn struct {
	connection
	kept     map[string]*keptStatement
	level    level
	isInside bool // a transaction
}

func (c *rememberingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.writeAs(ctx, onDisk); err != nil {
		return nil, err
	}
	if kept := c.prepared(ctx, query); kept != nil {
		return kept.ExecContext(ctx, args)
	}
	return c.connection.ExecContext(ctx, query, args)
}

func (c *rememberingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if verb(query) != "SELECT" {
		if err := c.writeAs(ctx, onDisk); err != nil {
			return nil, err
		}
	}
	kept := c.prepared(ctx, query)
	if kept == nil {
		return c.connection.QueryContext(ctx, query, args)
	}
	rows, err := kept.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	kept.isRead = true
	return &keptRows{rows, kept}, nil
}

// prepared is a statement that is kept, if it can be; nil if the connection has to look for itself.
func (c *rememberingConn) prepared(ctx context.Context, query string) *keptStatement {
	if kept := c.kept[query]; kept != nil {
		if kept.isRead {
			return nil
		}
		return kept
	}
	if len(c.kept) >= mostKept || !isPlain(query) {
		return nil
	}
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	usable, ok := prepared.(statement)
	if !ok {
		prepared.Close()
		return nil
	}
	c.kept[query] = &keptStatement{statement: usable}
	return c.kept[query]
}

// isPlain says whether SQL reads or writes rows and nothing else.
func isPlain(query string) bool {
	switch verb(query) {
	case "SELECT", "INSERT", "UPDATE", "DELETE":
		return !strings.Contains(query, ";")
	}
	return false
}

func verb(query string) string {
	query = strings.TrimSpace(query)
	return strings.ToUpper(query[:min(len(query), 6)])
}

// Close closes what is kept, and the connection.
func (c *rememberingConn) Close() error {
	for _, kept := range c.kept {
		kept.Close()
	}
	return c.connection.Close()
}

// keptRows are the rows of a kept statement, which can be used again once they are closed.
type keptRows struct {
	driver.Rows
	of *keptStatement
}

func (r *keptRows) Close() error {
	r.of.isRead = false
	return r.Rows.Close()
}
