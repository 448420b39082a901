package fencedstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"go.mau.fi/util/dbutil"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/store/sqlstore/upgrades"
	waLog "go.mau.fi/whatsmeow/util/log"
)

// prefix begins the name of each schema that holds keys.
const prefix = "wagate_keys_"

// taken is what the database says to who does not hold the session any more.
const taken = "WG001"

// ourTables are those beside whatsmeow's. Nothing but a new owner changes engine_session.
const ourTables = `
CREATE TABLE IF NOT EXISTS engine_session (
	session_id TEXT   NOT NULL PRIMARY KEY,
	fence      BIGINT NOT NULL,
	holder     TEXT   NOT NULL -- chosen anew whenever the session is opened
);
CREATE TABLE IF NOT EXISTS engine_device (
	session_id TEXT NOT NULL PRIMARY KEY,
	jid        TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS engine_history_notice (
	session_id  TEXT   NOT NULL,
	message_id  TEXT   NOT NULL,
	arrived_at  BIGINT NOT NULL, -- Unix seconds, by WhatsApp's clock
	notice      BYTEA  NOT NULL, -- a HistorySyncNotification of whatsmeow's waE2E
	PRIMARY KEY (session_id, message_id)
);
CREATE OR REPLACE FUNCTION engine_hold(session TEXT, mine TEXT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM 1 FROM engine_session WHERE session_id = session AND holder = mine FOR SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the session has another owner' USING ERRCODE = '` + taken + `';
	END IF;
END $$;
-- whatsmeow looks for its tables in all schemas, and would miss this one in all but the first.
CREATE TABLE IF NOT EXISTS whatsmeow_version (version INTEGER, compat INTEGER)`

var plainName = regexp.MustCompile(`^[a-z0-9_]{1,48}$`)

// SchemaOf names the schema that holds a tenant's keys.
func SchemaOf(tenant string) string {
	if plainName.MatchString(tenant) {
		return prefix + tenant
	}
	digest := sha256.Sum256([]byte(tenant))
	return prefix + "x" + hex.EncodeToString(digest[:16])
}

// prepare makes a tenant's schema and its tables, or brings them to what this version wants; once per process.
func (d *Database) prepare(ctx context.Context, tenant string) (schema string, err error) {
	schema = SchemaOf(tenant)
	d.making.Lock()
	defer d.making.Unlock()
	if d.isMade[schema] {
		return schema, nil
	}
	if err := d.make(ctx, schema); err != nil {
		return "", fmt.Errorf("making the schema %s: %w", schema, err)
	}
	d.isMade[schema] = true
	return schema, nil
}

// make uses one connection, whose lock keeps other engines from doing the same meanwhile.
func (d *Database) make(ctx context.Context, schema string) error {
	config := d.unbounded.Copy()
	config.RuntimeParams["search_path"] = pgx.Identifier{schema}.Sanitize()
	config.RuntimeParams["statement_timeout"], config.RuntimeParams["lock_timeout"] = "60s", "60s"
	alone := stdlib.OpenDB(*config)
	defer alone.Close() //nolint:errcheck // nothing hangs on it
	alone.SetMaxOpenConns(1)
	for _, statement := range []string{
		"SELECT pg_advisory_lock(hashtext('wagate keys'))",
		makingOf(schema),
		ourTables,
	} {
		if _, err := alone.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return containerIn(wrapped(alone), waLog.Noop).Upgrade(ctx)
}

// makingOf makes a schema unless it is there. PostgreSQL asks for the right to make one first, and only then whether it
// is there: so a role without that right could not be given one.
func makingOf(schema string) string {
	return "DO $$ BEGIN IF to_regnamespace(" + quoted(schema) + ") IS NULL THEN CREATE SCHEMA " +
		pgx.Identifier{schema}.Sanitize() + "; END IF; END $$"
}

// wrapped is a database as whatsmeow uses it.
func wrapped(opened *sql.DB) *dbutil.Database {
	used, err := dbutil.NewWithDB(opened, "postgres")
	if err != nil {
		panic(err) // The dialect is known.
	}
	used.UpgradeTable, used.VersionTable = upgrades.Table, "whatsmeow_version"
	return used
}

func containerIn(used *dbutil.Database, log waLog.Logger) *sqlstore.Container {
	return sqlstore.NewWithWrappedDB(used, log)
}
