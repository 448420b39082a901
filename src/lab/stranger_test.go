package main

import (
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"

	"wagate.dev/src/lab/person"
)

// stranger is a client outside the lab's process, as the products under test are.
type stranger struct {
	*whatsmeow.Client
	t      *testing.T
	events chan any
}

// stranger makes a client that trusts the lab and is linked to nothing yet.
func (l *lab) stranger() *stranger {
	l.t.Helper()
	root, err := hex.DecodeString(l.ready.RootKeyHex)
	must(l.t, err)
	whatsmeow.WACertPubKey = [32]byte(root)
	outside := &stranger{
		Client: whatsmeow.NewClient(newStore(l.t).NewDevice(), waLog.Noop), t: l.t, events: make(chan any, 64),
	}
	dial := &http.Client{Transport: person.Transport(l.ready.Address, l.authority())}
	outside.SetPreLoginHTTPClient(dial)
	outside.SetWebsocketHTTPClient(dial)
	outside.AddEventHandler(func(event any) { outside.events <- event })
	l.t.Cleanup(outside.Disconnect)
	must(l.t, outside.Connect())
	return outside
}

func (l *lab) authority() *x509.CertPool {
	told, err := l.GetLab(l.ctx, nil)
	must(l.t, err)
	pool := x509.NewCertPool()
	equal(l.t, "being a certificate", pool.AppendCertsFromPEM([]byte(told.GetCaPem())), true)
	return pool
}

func newStore(t *testing.T) *sqlstore.Container {
	t.Helper()
	database, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "store.db")+
		"?_pragma=foreign_keys(1)&_pragma=journal_mode(wal)&_pragma=synchronous(off)&_pragma=busy_timeout(10000)")
	must(t, err)
	t.Cleanup(func() { must(t, database.Close()) })
	container := sqlstore.NewWithDB(database, "sqlite3", waLog.Noop)
	must(t, container.Upgrade(context.Background()))
	return container
}

// await waits for the next event of a kind and passes over others.
func await[E any](s *stranger) E {
	s.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case event := <-s.events:
			if wanted, ok := event.(E); ok {
				return wanted
			}
		case <-deadline:
			var wanted E
			s.t.Fatalf("no event of type %T came", wanted)
		}
	}
}

func (s *stranger) qrText() string { return await[*events.QR](s).Codes[0] }
