package fencedstore

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5"
)

// errUndone is what comes of a transaction in which something failed that nobody minded.
var errUndone = errors.New("something failed in the transaction, and it was undone")

// transaction holds the session until it ends. What is to be written waits for the next question, or for the end, and then
// goes in one message: the way to a database and back takes longer than most of what is done there.
type transaction struct {
	ctx     context.Context
	conn    *conn
	waiting []*write
	failed  error
}

// write is something that is written in its turn.
type write struct {
	in    *transaction
	query string
	args  []any
	rows  int64
	done  bool
}

func (t *transaction) write(query string, args []driver.NamedValue) *write {
	w := &write{in: t, query: query, args: make([]any, len(args))}
	for i, arg := range args {
		w.args[i] = arg.Value
	}
	t.waiting = append(t.waiting, w)
	return w
}

// LastInsertId is unknown to PostgreSQL.
func (w *write) LastInsertId() (int64, error) { return 0, errors.ErrUnsupported }

// RowsAffected is how many rows were written: they are by now, or when it returns.
func (w *write) RowsAffected() (int64, error) {
	if !w.done {
		if err := w.in.send(w.in.ctx, false); err != nil {
			return 0, err
		}
	}
	return w.rows, nil
}

// send writes what waits.
func (t *transaction) send(ctx context.Context, commits bool) error {
	if t.failed != nil {
		return t.failed
	}
	written := t.waiting
	t.waiting = nil
	if len(written) == 0 && !commits {
		return nil
	}
	batch := &pgx.Batch{}
	for _, w := range written {
		batch.Queue(w.query, w.args...)
	}
	if commits {
		batch.Queue("commit")
	}
	t.failed = t.conn.held.judge(receive(t.conn.Conn.Conn().SendBatch(ctx, batch), written))
	return t.failed
}

// receive takes in what became of each write, until the first that failed.
func receive(results pgx.BatchResults, written []*write) error {
	for _, w := range written {
		tag, err := results.Exec()
		if err != nil {
			results.Close() //nolint:errcheck // it says the same again
			return err
		}
		w.rows, w.done = tag.RowsAffected(), true
	}
	return results.Close()
}

func (t *transaction) Commit() error {
	if t.conn.Conn.Conn().PgConn().TxStatus() == 'E' && t.failed == nil {
		t.failed = t.conn.held.judge(errUndone)
	}
	err := t.send(t.ctx, true)
	t.conn.undo(t.ctx)
	return err
}

func (t *transaction) Rollback() error {
	t.conn.undo(t.ctx)
	return nil
}
