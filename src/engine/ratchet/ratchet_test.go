package ratchet_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	waLog "go.mau.fi/whatsmeow/util/log"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"

	"wagate.dev/src/engine/ratchet"
)

const ada = "1001:1"

func guarded(t *testing.T) *store.Device {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "keys.db")+"?_txlock=immediate&_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	container := sqlstore.NewWithDB(db, "sqlite", waLog.Noop)
	if err := container.Upgrade(t.Context()); err != nil {
		t.Fatal(err)
	}
	device := container.NewDevice()
	device.ID = &types.JID{User: "1000", Device: 1, Server: types.DefaultUserServer}
	device.Account = &waAdv.ADVSignedDeviceIdentity{
		Details: []byte{1}, AccountSignature: make([]byte, 64), AccountSignatureKey: make([]byte, 32), DeviceSignature: make([]byte, 64),
	}
	if err := device.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	ratchet.Guard(device)
	return device
}

// decrypt turns Ada's ratchet as whatsmeow does when a message of hers arrives.
func decrypt(ctx context.Context, device *store.Device) error {
	return device.EventBuffer.DoDecryptionTxn(ctx, func(ctx context.Context) error {
		if _, err := device.Sessions.GetSession(ctx, ada); err != nil {
			return err
		}
		return device.Sessions.PutSession(ctx, ada, []byte("decrypted"))
	})
}

func TestWhoDecryptsWaitsForWhoEncrypts(t *testing.T) {
	device := guarded(t)
	encrypts := map[string]func() error{
		"many sessions": func() error {
			return device.Sessions.PutManySessions(t.Context(), map[string][]byte{ada: []byte("encrypted")})
		},
		"one session": func() error { return device.Sessions.PutSession(t.Context(), ada, []byte("encrypted")) },
	}
	for name, write := range encrypts {
		t.Run(name, func(t *testing.T) {
			if _, err := device.Sessions.GetManySessions(t.Context(), []string{ada}); err != nil {
				t.Fatal(err)
			}
			decrypted := make(chan error, 1)
			go func() { decrypted <- decrypt(t.Context(), device) }()
			select {
			case <-decrypted:
				t.Fatal("a ratchet was turned by two at a time")
			case <-time.After(100 * time.Millisecond):
			}
			if err := write(); err != nil {
				t.Fatal(err)
			}
			if err := <-decrypted; err != nil {
				t.Fatal(err)
			}
			if session, err := device.Sessions.GetSession(t.Context(), ada); err != nil || string(session) != "decrypted" {
				t.Fatalf("the session is %q (%v), though who decrypted wrote last", session, err)
			}
			if err := write(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestAnEncryptionThatFailsHalfwayKeepsNobodyWaiting(t *testing.T) {
	t.Run("whose caller is gone", func(t *testing.T) {
		device := guarded(t)
		sending, cancel := context.WithCancel(t.Context())
		if _, err := device.Sessions.GetSession(sending, ada); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := decrypt(t.Context(), device); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("which nobody ends", func(t *testing.T) {
		device := guarded(t)
		if _, err := device.Sessions.GetSession(context.Background(), ada); err != nil {
			t.Fatal(err)
		}
		if err := decrypt(t.Context(), device); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWhoWaitsForATurnIsHeardWhenItStops(t *testing.T) {
	device := guarded(t)
	if _, err := device.Sessions.GetSession(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	arriving, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := decrypt(arriving, device); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("it ended with %v", err)
	}
}
