package fencedstore

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	"wagate.dev/src/engine/postgrestest"
)

const (
	patience = 30 * time.Second
	tenant   = "acme"
)

var discard = slog.New(slog.DiscardHandler)

var ours = types.JID{User: "4915112345678", Device: 7, Server: types.DefaultUserServer}

func TestMain(m *testing.M) {
	code := m.Run()
	postgrestest.Stop()
	os.Exit(code)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// engine is what one process has: its own connections to the database.
func engine(t testing.TB, url string) *Database {
	t.Helper()
	databases := NewDatabases(nil)
	database, err := databases.At(url, 0)
	must(t, err)
	t.Cleanup(databases.Close)
	return database
}

func open(t testing.TB, database *Database, session string, fence int64) *Store {
	t.Helper()
	opened, err := database.Open(within(t), tenant, session, fence, discard)
	must(t, err)
	t.Cleanup(func() { opened.Close() })
	return opened
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func link(t testing.TB, opened *Store, jid types.JID) *store.Device {
	t.Helper()
	return linked(t, opened.NewDevice(), jid)
}

func linked(t testing.TB, device *store.Device, jid types.JID) *store.Device {
	t.Helper()
	device.ID = &jid
	device.Account = &waAdv.ADVSignedDeviceIdentity{
		Details: []byte{1}, AccountSignature: make([]byte, 64), AccountSignatureKey: make([]byte, 32), DeviceSignature: make([]byte, 64),
	}
	must(t, device.Save(within(t)))
	return device
}

// beside is a connection of the test's own.
func beside(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(within(t), url)
	must(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	_, err = conn.Exec(within(t), "SET search_path TO "+SchemaOf(tenant))
	must(t, err)
	return conn
}

// dump is every row of every table of keys, as text.
func dump(t testing.TB, conn *pgx.Conn) map[string]string {
	t.Helper()
	tables, err := conn.Query(within(t), "SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1", SchemaOf(tenant))
	must(t, err)
	names, err := pgx.CollectRows(tables, pgx.RowTo[string])
	must(t, err)
	dumped := make(map[string]string, len(names))
	for _, name := range names {
		var rows string
		must(t, conn.QueryRow(within(t), "SELECT coalesce(string_agg(t::text, E'\n' ORDER BY t::text), '') FROM "+name+" t").Scan(&rows))
		dumped[name] = rows
	}
	return dumped
}
