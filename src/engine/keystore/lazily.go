package keystore

import (
	"context"
	"database/sql/driver"
)

// lazily marks the context of a transaction that need not be on disk at once.
type lazily struct{}

// Lazily lets transactions that are begun with this context return before they are on disk. Whatever else is written after
// one of them, and returns, is on disk together with it: the log that SQLite writes has one order. A power cut may undo the
// last lazy ones, and then the latest first.
func Lazily(ctx context.Context) context.Context { return context.WithValue(ctx, lazily{}, true) }

// MayBeLazy says whether a transaction with this context may.
func MayBeLazy(ctx context.Context) bool { return ctx.Value(lazily{}) != nil }

// level is how surely a connection writes, as SQLite names it.
type level string

const (
	onDisk    level = "FULL"
	inLogOnly level = "NORMAL"
)

// BeginTx begins a transaction that commits as surely as its context says.
func (c *rememberingConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	wanted := onDisk
	if MayBeLazy(ctx) {
		wanted = inLogOnly
	}
	if err := c.writeAs(ctx, wanted); err != nil {
		return nil, err
	}
	began, err := c.connection.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	c.isInside = true
	return &transaction{began, c}, nil
}

// writeAs changes how surely the connection writes. SQLite takes no such change inside a transaction.
func (c *rememberingConn) writeAs(ctx context.Context, wanted level) error {
	if c.isInside || c.level == wanted {
		return nil
	}
	if _, err := c.connection.ExecContext(ctx, "PRAGMA synchronous="+string(wanted), nil); err != nil {
		return err
	}
	c.level = wanted
	return nil
}

// transaction is one on a connection, which is outside again once it ends.
type transaction struct {
	driver.Tx
	conn *rememberingConn
}

func (t *transaction) Commit() error {
	t.conn.isInside = false
	return t.Tx.Commit()
}

func (t *transaction) Rollback() error {
	t.conn.isInside = false
	return t.Tx.Rollback()
}
