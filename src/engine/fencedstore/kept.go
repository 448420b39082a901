package fencedstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Kept names the sessions whose keys lie here, linked or not, of all tenants.
func (d *Database) Kept(ctx context.Context) (sessions []string, err error) {
	err = d.everywhere(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "SELECT session_id FROM engine_session")
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		sessions = append(sessions, found...)
		return err
	})
	return sessions, err
}

// Forget erases the keys of a session that is gone for good, and that it was ever here: whoever still has it open writes
// nothing from then on.
func (d *Database) Forget(ctx context.Context, session string) error {
	return d.everywhere(ctx, func(tx pgx.Tx) error {
		gone, err := tx.Exec(ctx, "DELETE FROM engine_session WHERE session_id = $1", session)
		if err != nil || gone.RowsAffected() == 0 {
			return err
		}
		for _, statement := range erasing {
			if _, err := tx.Exec(ctx, statement, session); err != nil {
				return err
			}
		}
		return nil
	})
}

const allSchemas = "SELECT schemaname FROM pg_tables WHERE tablename = 'engine_session' AND starts_with(schemaname, $1)"

// everywhere does something in the schema of each tenant.
func (d *Database) everywhere(ctx context.Context, act func(pgx.Tx) error) error {
	found, err := d.pool.Query(ctx, allSchemas, prefix)
	if err != nil {
		return fmt.Errorf("looking for the tenants' schemas: %w", err)
	}
	schemas, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("looking for the tenants' schemas: %w", err)
	}
	for _, schema := range schemas {
		if err := d.writing(ctx, schema, act); err != nil {
			return fmt.Errorf("in the schema %s: %w", schema, err)
		}
	}
	return nil
}
