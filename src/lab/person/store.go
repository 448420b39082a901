package person

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"go.mau.fi/whatsmeow/store/sqlstore"
	waLog "go.mau.fi/whatsmeow/util/log"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

// store is one person's file: the client's tables, who the person is, and what
// it received.
type store struct {
	db        *sql.DB
	container *sqlstore.Container
}

const ownTables = `
create table if not exists lab_person (
	id text primary key, phone text not null, name text not null, device integer not null
) strict;
create table if not exists lab_inbox (position integer primary key, entry blob not null) strict;`

// openStore opens or makes the file. It survives the process, not a power cut:
// what must be believed afterwards is in the oracle.
func openStore(ctx context.Context, path string, log waLog.Logger) (*store, error) {
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return nil, err
	}
	opened := &store{db: db, container: sqlstore.NewWithDB(db, "sqlite3", log)}
	if err = opened.container.Upgrade(ctx); err == nil {
		_, err = db.ExecContext(ctx, ownTables)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
	}
	return opened, nil
}

func dsn(path string) string {
	options := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"foreign_keys(1)", "journal_mode(wal)", "synchronous(off)", "busy_timeout(10000)",
	}}
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: options.Encode()}).String()
}

// copyTo writes the file as it is at this moment to a path that must not exist.
func (s *store) copyTo(ctx context.Context, path string) error {
	_, err := s.db.ExecContext(ctx, "vacuum into ?", path)
	return err
}

func (s *store) writePerson(ctx context.Context, person *Person) error {
	_, err := s.db.ExecContext(ctx,
		"insert or replace into lab_person (id, phone, name, device) values (?, ?, ?, ?)",
		person.ID, person.Phone, person.Name, person.Device)
	return err
}

func (s *store) readPerson(ctx context.Context, person *Person) error {
	return s.db.QueryRowContext(ctx, "select id, phone, name, device from lab_person").
		Scan(&person.ID, &person.Phone, &person.Name, &person.Device)
}

func (s *store) close() error { return s.db.Close() }
