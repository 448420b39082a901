// Package keystore keeps the keys of one session: one SQLite file that one process holds.
package keystore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"wagate.dev/src/engine/logs"
)

// ErrCorrupt means that the file is there, and is not a store that can be read.
var ErrCorrupt = errors.New("the store cannot be read")

// Few connections are enough for one session: what is written is written one after the other in any case.
const maxConnections = 4

// Two are used all the time while messages arrive: one decrypts, one marks as done. Sessions at rest need none.
const (
	maxIdleConnections = 2
	idleConnection     = 15 * time.Second
)

// drainPatience is how long a query may go on after the store was closed.
const drainPatience = 3 * time.Second

// Keystore is an open store.
type Keystore struct {
	lock *os.File
	db   *sql.DB
	log  *slog.Logger
}

// Open opens the store, makes it if need be in a folder of mode 0700, and locks it. It fails with ErrLocked or ErrCorrupt
// where these are the case.
func Open(ctx context.Context, path string, log *slog.Logger) (*Keystore, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the store's folder: %w", err)
	}
	locked, err := lock(path + ".lock")
	if err != nil {
		return nil, err
	}
	k := &Keystore{lock: locked, log: log}
	if err := k.open(ctx, path); err != nil {
		return nil, errors.Join(judge(err), k.Close())
	}
	return k, nil
}

func (k *Keystore) open(ctx context.Context, path string) (err error) {
	connector, err := sqlite.NewConnector(source(path))
	if err != nil {
		return err
	}
	k.db = sql.OpenDB(remembering{connector})
	k.db.SetMaxOpenConns(maxConnections)
	k.db.SetMaxIdleConns(maxIdleConnections)
	k.db.SetConnMaxIdleTime(idleConnection)
	var verdict string
	if err = k.db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	} else if verdict != "ok" {
		return fmt.Errorf("%w: %s", ErrCorrupt, verdict)
	}
	if err = k.container().Upgrade(ctx); err != nil {
		return err
	}
	_, err = k.db.ExecContext(ctx, createNotices+"; PRAGMA shrink_memory") // Checking has read all of it.
	return err
}

// container is the file as whatsmeow uses it. It keeps in mind who is who, without bound: so it is made anew for each line.
func (k *Keystore) container() *sqlstore.Container {
	return sqlstore.NewWithDB(k.db, "sqlite", logs.ForWhatsmeow(k.log))
}

// source names the file to modernc.org/sqlite: a commit is on disk before it is answered, and a transaction takes the
// write lock when it begins, for one that reads first could not wait for it.
func source(path string) string {
	pragmas := url.Values{
		"_pragma": {"busy_timeout(10000)", "foreign_keys(1)", "journal_mode(WAL)", "synchronous(FULL)", "cache_size(-512)"},
		"_txlock": {"immediate"},
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: pragmas.Encode()}).String()
}

func judge(err error) error {
	if IsCorrupt(err) && !errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// IsCorrupt says whether an error of a store means that its file is damaged.
func IsCorrupt(err error) bool {
	var failure *sqlite.Error
	if errors.As(err, &failure) {
		code := failure.Code() & 0xff
		return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
	}
	return errors.Is(err, ErrCorrupt)
}

// Device is the linked device: the one named, if it is there, else the one that is; nil if none is linked. Each call
// makes a new one, for one line.
func (k *Keystore) Device(ctx context.Context, named string) (*store.Device, error) {
	devices, err := k.container().GetAllDevices(ctx)
	if err != nil || len(devices) == 0 {
		return nil, err
	}
	for _, device := range devices {
		if device.ID.String() == named {
			return device, nil
		}
	}
	return devices[len(devices)-1], nil
}

// NewDevice makes keys for a device that is to be linked. They are stored when it is.
func (k *Keystore) NewDevice() *store.Device { return k.container().NewDevice() }

// Erase forgets every key, and what hangs on them.
func (k *Keystore) Erase(ctx context.Context) error {
	devices, err := k.container().GetAllDevices(ctx)
	if err != nil {
		return fmt.Errorf("erasing the keys: %w", err)
	}
	for _, device := range devices {
		if err := device.Delete(ctx); err != nil {
			return fmt.Errorf("erasing the keys: %w", err)
		}
	}
	if _, err := k.db.ExecContext(ctx, "DELETE FROM engine_history_notice"); err != nil {
		return fmt.Errorf("erasing the history notices: %w", err)
	}
	return nil
}

// Database is the file, as SQL reads it: for who carries it elsewhere.
func (k *Keystore) Database() *sql.DB { return k.db }

// Raise lets the store stay open under a higher fence: the lock beside the file says that it is ours.
func (k *Keystore) Raise(context.Context, int64) (isOurs bool, err error) { return true, nil }

// Lost never tells: nobody else opens the store while it is open.
func (k *Keystore) Lost() <-chan struct{} { return nil }

// Close closes the store, and lets go of its lock once nothing that whatsmeow left running uses the file any more.
func (k *Keystore) Close() error {
	if k.db == nil {
		return k.lock.Close()
	}
	return errors.Join(CloseDrained(k.db), k.lock.Close())
}

// CloseDrained closes a database and waits until every query that was under way has ended: closing does not.
func CloseDrained(db *sql.DB) error {
	err := db.Close()
	deadline := time.After(drainPatience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for db.Stats().OpenConnections > 0 {
		select {
		case <-tick.C:
		case <-deadline:
			return errors.Join(err, errors.New("the store was closed while it was still in use"))
		}
	}
	return err
}
