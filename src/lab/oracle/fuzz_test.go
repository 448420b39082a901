package oracle_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"wagate.dev/src/lab/oracle"
)

// FuzzAFileOfAnyBytes shows that a file is refused, or goes on with the entry after its last one.
func FuzzAFileOfAnyBytes(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("{\"sequence\":1,\"what\":\"login\"}\n{\"sequ"))
	f.Add([]byte("\n{\"sequence\":2}\n"))
	f.Add([]byte("null\n"))
	path := filepath.Join(f.TempDir(), "oracle.jsonl")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		log, err := oracle.Open(path, time.Now)
		if err != nil {
			return
		}
		before, unreadable := log.Entries(0)
		if err := log.Commit(oracle.Entry{What: oracle.Login}); err != nil {
			t.Fatal(err)
		}
		after, err := log.Entries(0)
		if unreadable == nil && (err != nil || len(after) != len(before)+1 || after[len(before)].What != oracle.Login) {
			t.Fatalf("%q goes on with %v, %v", data, after, err)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
