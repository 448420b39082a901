package session

import (
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
)

func TestADamagedStoreBlocksTheLineAndOtherTroubleDoesNot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "damaged.db")
	if err := os.WriteFile(file, []byte("this was a database once, and is none any more"), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	_, damage := store.Exec("CREATE TABLE keys (id)")
	s := &Session{log: slog.New(slog.DiscardHandler)}
	damaged, passing := s.storeFailed(damage), s.storeFailed(errors.New("failed to connect to user=keys host=db7"))
	if damaged.state != enginev1.LineChanged_STATE_BLOCKED || damaged.failure.GetReason() != wagatev1.ErrorReason_ERROR_REASON_KEYS_UNREADABLE {
		t.Errorf("%v means %v", damage, damaged)
	}
	if passing.state != enginev1.LineChanged_STATE_RECONNECTING || passing.failure.GetReason() != wagatev1.ErrorReason_ERROR_REASON_LINE_LOST {
		t.Errorf("other trouble means %v", passing)
	}
	if strings.Contains(passing.failure.GetMessage(), "db7") {
		t.Errorf("what the database said is told: %s", passing.failure.GetMessage())
	}
}
