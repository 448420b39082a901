// Package fencedstore keeps the keys of many sessions in PostgreSQL: each tenant's in a schema of its own, each session's
// changed by its owner alone.
//
// A session's row in engine_session names who opened it last, under which fence. Connections are read-only, so that
// nothing can be written but by a transaction that says otherwise; and each that does begins by locking that row, if it
// still names the one who writes. A new owner changes the row: it waits for the transactions that hold it, and no later
// one of the former owner's gets past it. So it does not matter where whatsmeow writes without a transaction, nor how
// long a process slept between looking at its lease and writing. Two locks were not chosen: one of the database's
// advisory locks needs a connection that lives as long as the session, and says nothing about what was sent before it
// was lost; a condition in each statement would have to be put into whatsmeow's.
package fencedstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// MostConnections is how many connections an engine has unless it is told otherwise, for all its sessions.
	MostConnections = 8
	connectPatience = 5 * time.Second
	idleConnection  = time.Minute
	mostStatements  = 128 // that a connection keeps
)

// limits of a connection, where the URL says nothing else. One that was stopped in the middle of a transaction is cut off
// by the server before the lease it had can have been given to another.
var limits = map[string]string{
	"application_name":                    "wagate-engine",
	"default_transaction_isolation":       "read committed",
	"statement_timeout":                   "10s",
	"lock_timeout":                        "8s",
	"idle_in_transaction_session_timeout": "5s",
}

// Databases are those that this process uses: one pool of connections for each.
type Databases struct {
	mayDial Control
	mu      sync.Mutex
	known   map[string]*Database
}

// Control is asked before anything is dialled, as in net.Dialer.
type Control = func(network, address string, _ syscall.RawConn) error

// NewDatabases knows none.
func NewDatabases(mayDial Control) *Databases {
	return &Databases{mayDial: mayDial, known: make(map[string]*Database)}
}

// At is the database at a URL of libpq's form. The number of connections is what it was first asked for with.
func (d *Databases) At(url string, mostConnections int32) (*Database, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.known[url]; known != nil {
		return known, nil
	}
	made, err := newDatabase(url, mostConnections, d.mayDial)
	if err == nil {
		d.known[url] = made
	}
	return made, err
}

// Close closes all connections, once the sessions are closed.
func (d *Databases) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for url, known := range d.known {
		known.pool.Close()
		delete(d.known, url)
	}
}

// Database is one that holds keys.
type Database struct {
	pool      *pgxpool.Pool
	making    sync.Mutex
	isMade    map[string]bool // by schema
	unbounded pgx.ConnConfig  // for making schemas: it may write
}

func newDatabase(url string, mostConnections int32, mayDial Control) (*Database, error) {
	if url == "" {
		return nil, errors.New("the database's URL is missing") // The environment would name one.
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the database's URL cannot be read") // The reason would quote the URL, which holds a password.
	}
	dialer := &net.Dialer{Timeout: connectPatience, Control: mayDial, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3,
	}}
	config.ConnConfig.DialFunc = dialer.DialContext
	config.ConnConfig.ConnectTimeout = connectPatience
	config.ConnConfig.StatementCacheCapacity = mostStatements
	for name, value := range limits {
		if _, isSaid := config.ConnConfig.RuntimeParams[name]; !isSaid {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	unbounded := config.ConnConfig.Copy()
	config.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	config.MaxConns = MostConnections
	if mostConnections > 0 {
		config.MaxConns = mostConnections
	}
	config.MinConns, config.MaxConnIdleTime = 0, idleConnection
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("using the database: %w", err)
	}
	return &Database{pool: pool, isMade: make(map[string]bool), unbounded: *unbounded}, nil
}

// writing does something in a transaction that may write, and that nobody's fence is asked for.
func (d *Database) writing(ctx context.Context, schema string, act func(pgx.Tx) error) error {
	return d.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		if err := enter(ctx, conn.Conn(), schema); err != nil {
			return err
		}
		return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadWrite}, act)
	})
}

// open opens what whatsmeow takes for a database: one schema, with one writer.
func (d *Database) open(schema string, held *hold) *sql.DB {
	opened := sql.OpenDB(&connector{stdlib.GetPoolConnector(d.pool), schema, held})
	opened.SetMaxOpenConns(mostOfOne)
	opened.SetMaxIdleConns(-1) // The pool keeps them.
	return opened
}

// schemaOf is what a connection sees; kept beside it, as sessions of all tenants share the connections.
const schemaOf = "schema"

// enter lets a connection see one schema.
func enter(ctx context.Context, conn *pgx.Conn, schema string) error {
	seen := conn.PgConn().CustomData()
	if seen[schemaOf] == schema {
		return nil
	}
	if _, err := conn.Exec(ctx, "SET search_path TO "+pgx.Identifier{schema}.Sanitize()); err != nil {
		return fmt.Errorf("entering a schema: %w", err)
	}
	seen[schemaOf] = schema
	return nil
}
