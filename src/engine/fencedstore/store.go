package fencedstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mau.fi/util/dbutil"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"

	"wagate.dev/src/engine/keystore"
	"wagate.dev/src/engine/logs"
)

// StaleError says that the session was opened with a higher fence.
type StaleError struct{ Highest int64 }

// Error says it.
func (e *StaleError) Error() string {
	return fmt.Sprintf("the session was opened with fence %d", e.Highest)
}

// Store holds the keys of one session, for one opening of it. It keeps nothing in mind that others may change.
type Store struct {
	database  *Database
	schema    string
	session   string
	holder    string
	held      *hold
	db        *sql.DB
	used      *dbutil.Database
	container *sqlstore.Container
}

// Open takes the session for its own: whoever opened it before writes nothing from now on. What they were just writing is
// waited for. It fails with a StaleError if it was opened with a higher fence.
func (d *Database) Open(ctx context.Context, tenant, session string, fence int64, log *slog.Logger) (*Store, error) {
	schema, err := d.prepare(ctx, tenant)
	if err != nil {
		return nil, err
	}
	s := &Store{database: d, schema: schema, session: session, holder: rand.Text()}
	if err := s.claim(ctx, fence); err != nil {
		return nil, err
	}
	s.held = newHold(session, s.holder)
	s.db = d.open(schema, s.held)
	s.used = wrapped(s.db)
	s.container = containerIn(s.used, logs.ForWhatsmeow(log))
	return s, nil
}

const claimSession = `
INSERT INTO engine_session (session_id, fence, holder) VALUES ($1, $2, $3)
ON CONFLICT (session_id) DO UPDATE SET fence = excluded.fence, holder = excluded.holder
WHERE engine_session.fence <= excluded.fence`

func (s *Store) claim(ctx context.Context, fence int64) error {
	return s.database.writing(ctx, s.schema, func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, claimSession, s.session, fence, s.holder)
		if err != nil {
			return fmt.Errorf("taking the session over: %w", err)
		} else if done.RowsAffected() > 0 {
			return nil
		}
		stale := &StaleError{}
		if err := tx.QueryRow(ctx, "SELECT fence FROM engine_session WHERE session_id = $1", s.session).Scan(&stale.Highest); err != nil {
			return fmt.Errorf("asking for the highest fence: %w", err)
		}
		return stale
	})
}

// Raise lets the same opening go on under a higher fence. It says false if another has opened the session meanwhile.
func (s *Store) Raise(ctx context.Context, fence int64) (isOurs bool, err error) {
	err = s.database.writing(ctx, s.schema, func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, "UPDATE engine_session SET fence = $2 WHERE session_id = $1 AND holder = $3 AND fence <= $2",
			s.session, fence, s.holder)
		isOurs = done.RowsAffected() > 0
		return err
	})
	return isOurs, err
}

// Lost holds a sign once it was seen that another has opened the session.
func (s *Store) Lost() <-chan struct{} { return s.held.lost }

// Device is the linked device, nil if none is linked. Each call makes a new one, for one line; it fails if the session is
// not ours any more, so that no line is made with keys that are another's.
func (s *Store) Device(ctx context.Context, _ string) (device *store.Device, err error) {
	err = s.used.DoTxn(ctx, nil, func(ctx context.Context) error {
		var jid types.JID
		err := s.used.QueryRow(ctx, "SELECT jid FROM engine_device WHERE session_id = $1", s.session).Scan(&jid)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		device, err = s.container.GetDevice(ctx, jid)
		return err
	})
	if err != nil || device == nil {
		return nil, err
	}
	return s.adopted(device), nil
}

// NewDevice makes keys for a device that is to be linked. They are stored when it is.
func (s *Store) NewDevice() *store.Device { return s.adopted(s.container.NewDevice()) }

// adopted is a device that looks names up, and stores itself, where we say.
func (s *Store) adopted(device *store.Device) *store.Device {
	device.Container = devices{s.container, s}
	device.LIDs = people{s.used}
	return device
}

// KeepHistoryNotice stores where a part of the phone's history can be fetched. WhatsApp says it once.
func (s *Store) KeepHistoryNotice(ctx context.Context, messageID string, arrived time.Time, notice []byte) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO engine_history_notice (session_id, message_id, arrived_at, notice)
		VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, s.session, messageID, arrived.Unix(), notice)
	if err != nil {
		return fmt.Errorf("keeping a history notice: %w", err)
	}
	return nil
}

// Erase forgets every key of the session, and what hangs on them.
func (s *Store) Erase(ctx context.Context) error {
	err := s.used.DoTxn(ctx, nil, func(ctx context.Context) error {
		for _, statement := range erasing {
			if _, err := s.used.Exec(ctx, statement, s.session); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("erasing the keys: %w", err)
	}
	return nil
}

// erasing is what forgets the keys of a session; what has no foreign key first.
var erasing = []string{
	"DELETE FROM whatsmeow_privacy_tokens WHERE our_jid = (SELECT jid FROM engine_device WHERE session_id = $1)",
	"DELETE FROM whatsmeow_device WHERE jid = (SELECT jid FROM engine_device WHERE session_id = $1)",
	"DELETE FROM engine_device WHERE session_id = $1",
	"DELETE FROM engine_history_notice WHERE session_id = $1",
}

// Close lets go of the connections, once nothing that whatsmeow left running uses them any more. The session stays ours
// until another opens it.
func (s *Store) Close() error { return keystore.CloseDrained(s.db) }
