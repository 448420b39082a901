package keystore

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/types"
)

func open(t *testing.T, path string) *Keystore {
	t.Helper()
	store, err := Open(context.Background(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func link(t *testing.T, store *Keystore, jid types.JID) {
	t.Helper()
	device := store.NewDevice()
	device.ID = &jid
	device.Account = &waAdv.ADVSignedDeviceIdentity{
		Details: []byte{1}, AccountSignature: make([]byte, 64), AccountSignatureKey: make([]byte, 32), DeviceSignature: make([]byte, 64),
	}
	if err := device.Save(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func countNotices(t *testing.T, store *Keystore) (count int) {
	t.Helper()
	if err := store.db.QueryRow("SELECT count(*) FROM engine_history_notice").Scan(&count); err != nil {
		t.Fatal(err)
	}
	return count
}

func TestAStoreLiesInAFolderOfItsOwnersOnly(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "sessions", "shop")
	open(t, filepath.Join(folder, "keys.db"))
	info, err := os.Stat(folder)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Fatalf("the folder's mode is %o", info.Mode().Perm())
	}
}

func TestAStoreIsHeldByOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	first := open(t, path)
	if _, err := Open(context.Background(), path, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrLocked) {
		t.Fatalf("a second holder got %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}

func TestAClosedStoreIsLetGoOfOnceNothingUsesIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	store := open(t, path)
	using, err := store.db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- store.Close() }()
	select {
	case <-closed:
		t.Fatal("it was let go of while it was used")
	case <-time.After(30 * time.Millisecond):
	}
	using.Close()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
}

func TestAFileThatIsNoStoreIsCorrupt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	if err := os.WriteFile(path, []byte("this is no database, though it is long enough to be taken for one at first"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), path, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrCorrupt) {
		t.Fatalf("it failed with %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}

func TestAStoreCommitsToDisk(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "with space & percent%.db"))
	for pragma, wanted := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
		var found string
		if err := store.db.QueryRow("PRAGMA " + pragma).Scan(&found); err != nil || found != wanted {
			t.Errorf("%s is %s, not %s (%v)", pragma, found, wanted, err)
		}
	}
}

func TestALinkedDeviceIsFoundAgainAndErased(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "keys.db")
	store := open(t, path)
	jid := types.JID{User: "4915112345678", Device: 7, Server: types.DefaultUserServer}
	if device, err := store.Device(ctx, ""); err != nil || device != nil {
		t.Fatalf("an empty store has %v (%v)", device, err)
	}
	link(t, store, jid)
	if err := store.KeepHistoryNotice(ctx, "A1", time.Now(), []byte("notice")); err != nil {
		t.Fatal(err)
	}
	store.Close()

	store = open(t, path)
	device, err := store.Device(ctx, "")
	if err != nil || device == nil || *device.ID != jid {
		t.Fatalf("found %v (%v)", device, err)
	}
	if err := store.Erase(ctx); err != nil {
		t.Fatal(err)
	}
	if device, err := store.Device(ctx, jid.String()); err != nil || device != nil {
		t.Fatalf("after erasing there is %v (%v)", device, err)
	}
	if count := countNotices(t, store); count != 0 {
		t.Fatalf("after erasing there are %d notices", count)
	}
}

func TestWhatALineKeepsInMindOfPeopleEndsWithIt(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "keys.db"))
	link(t, store, types.JID{User: "447700900001", Device: 1, Server: types.DefaultUserServer})
	phone, lid := types.NewJID("447700900002", types.DefaultUserServer), types.NewJID("1002", types.HiddenUserServer)
	var known [2]types.JID
	for i := range known {
		device, err := store.Device(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if known[i], err = device.LIDs.GetLIDForPN(t.Context(), phone); err != nil {
			t.Fatal(err)
		}
		if _, err = store.db.Exec("INSERT INTO whatsmeow_lid_map (lid, pn) VALUES (?, ?) ON CONFLICT DO NOTHING", lid.User, phone.User); err != nil {
			t.Fatal(err)
		}
	}
	if !known[0].IsEmpty() || known[1] != lid {
		t.Errorf("known was %v", known)
	}
}

func TestAHistoryNoticeIsKeptOnce(t *testing.T) {
	ctx := context.Background()
	store := open(t, filepath.Join(t.TempDir(), "keys.db"))
	for range 2 {
		if err := store.KeepHistoryNotice(ctx, "A1", time.Unix(1, 0), []byte("notice")); err != nil {
			t.Fatal(err)
		}
	}
	if count := countNotices(t, store); count != 1 {
		t.Fatalf("kept %d notices", count)
	}
}

func TestWhatIsWrittenLazilyIsOnDiskWithTheNextThatIsNot(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "keys.db"))
	store.db.SetMaxOpenConns(1)
	level := func(ctx context.Context) (found string) {
		t.Helper()
		transaction, err := store.db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer transaction.Rollback() //nolint:errcheck // it only reads
		if err := transaction.QueryRow("PRAGMA synchronous").Scan(&found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	for range 2 {
		if lazy := level(Lazily(context.Background())); lazy != "1" {
			t.Errorf("a lazy transaction writes as %s", lazy)
		}
		if other := level(context.Background()); other != "2" {
			t.Errorf("another transaction writes as %s", other)
		}
	}
	level(Lazily(context.Background()))
	if err := store.KeepHistoryNotice(context.Background(), "A1", time.Now(), []byte("notice")); err != nil {
		t.Fatal(err)
	}
	var alone string
	if err := store.db.QueryRow("PRAGMA synchronous").Scan(&alone); err != nil || alone != "2" {
		t.Errorf("what is written alone is written as %s (%v)", alone, err)
	}
}

func TestAStatementThatIsBeingReadCanBeUsedAgainMeanwhile(t *testing.T) {
	ctx := context.Background()
	store := open(t, filepath.Join(t.TempDir(), "keys.db"))
	for _, id := range []string{"A1", "A2", "A3"} {
		if err := store.KeepHistoryNotice(ctx, id, time.Unix(1, 0), []byte("notice")); err != nil {
			t.Fatal(err)
		}
	}
	transaction, err := store.db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer transaction.Rollback() //nolint:errcheck // it only reads
	var pairs int
	for range 2 { // Prepared anew at first, and kept from then on.
		outer := mustQuery(t, transaction)
		for outer.Next() {
			inner := mustQuery(t, transaction)
			for inner.Next() {
				pairs++
			}
			inner.Close()
		}
		outer.Close()
	}
	if pairs != 2*3*3 {
		t.Fatalf("%d pairs were read", pairs)
	}
}

func mustQuery(t *testing.T, transaction *sql.Tx) *sql.Rows {
	t.Helper()
	rows, err := transaction.Query("SELECT message_id FROM engine_history_notice")
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
