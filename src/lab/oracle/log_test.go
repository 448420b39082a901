package oracle_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"wagate.dev/src/lab/oracle"
)

func open(t *testing.T, path string) *oracle.Log {
	t.Helper()
	log, err := oracle.Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	return log
}

func TestWhatIsCommittedIsInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oracle.jsonl")
	log := open(t, path)
	if err := log.Commit(oracle.Entry{What: oracle.Accepted, ID: "one"}); err != nil {
		t.Fatal(err)
	}
	entries, err := oracle.ReadFile(path, 0)
	if err != nil || len(entries) != 1 || entries[0].ID != "one" || entries[0].Sequence != 1 {
		t.Fatalf("%+v %v", entries, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
}

func TestEntriesAreReadFromAnyPosition(t *testing.T) {
	log := open(t, filepath.Join(t.TempDir(), "oracle.jsonl"))
	for i := range 200 {
		log.Note(oracle.Entry{What: oracle.Delivered, ID: fmt.Sprint(i + 1)})
	}
	if err := log.Commit(oracle.Entry{What: oracle.Accepted, ID: "201"}); err != nil {
		t.Fatal(err)
	}
	for after := range uint64(203) {
		entries, err := log.Entries(after)
		if err != nil || len(entries) != max(0, 201-int(after)) {
			t.Fatalf("%d after %d: %v", len(entries), after, err)
		}
		for i, entry := range entries {
			if entry.Sequence != after+uint64(i)+1 || entry.ID != fmt.Sprint(entry.Sequence) {
				t.Fatalf("%+v after %d", entry, after)
			}
		}
	}
}

func TestManyCommitAtOnceWithoutGaps(t *testing.T) {
	log := open(t, filepath.Join(t.TempDir(), "oracle.jsonl"))
	var writers sync.WaitGroup
	for range 50 {
		writers.Go(func() {
			for range 20 {
				if err := log.Commit(oracle.Entry{What: oracle.Accepted}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	entries, err := log.Entries(0)
	if err != nil || len(entries) != 1000 {
		t.Fatalf("%d entries: %v", len(entries), err)
	}
	for i, entry := range entries {
		if entry.Sequence != uint64(i)+1 {
			t.Fatalf("%d where %d was due", entry.Sequence, i+1)
		}
	}
}

func TestAHalfLineLeftByACrashIsCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oracle.jsonl")
	first := open(t, path)
	if err := first.Commit(oracle.Entry{What: oracle.Accepted, ID: "whole"}); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = file.WriteString(`{"sequence":2,"what":"acc`); err != nil {
		t.Fatal(err)
	}
	if err = file.Close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, path)
	if err = second.Commit(oracle.Entry{What: oracle.Accepted, ID: "next"}); err != nil {
		t.Fatal(err)
	}
	entries, err := oracle.ReadFile(path, 0)
	if err != nil || len(entries) != 2 || entries[1].ID != "next" || entries[1].Sequence != 2 {
		t.Fatalf("%+v %v", entries, err)
	}
}

func TestAFileWithMissingEntriesIsNotContinued(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oracle.jsonl")
	if err := os.WriteFile(path, []byte(`{"sequence":7,"what":"accepted"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := oracle.Open(path, time.Now); err == nil {
		t.Fatal("it was opened")
	}
}

func TestAClosedOracleTakesNothing(t *testing.T) {
	log := open(t, filepath.Join(t.TempDir(), "oracle.jsonl"))
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := log.Commit(oracle.Entry{What: oracle.Accepted}); err == nil {
		t.Fatal("it was committed")
	}
}
