// Package labtest starts labs for tests and connects unmodified whatsmeow
// clients to them over the loopback socket.
package labtest

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"

	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/oracle"
	"wagate.dev/src/lab/server"
)

// Patience is how long anything in a test may take before it has failed.
const Patience = time.Minute

// seed is an empty world. All labs of a process begin with it and so share its
// keys, because whatsmeow's root key is a variable of the process.
var seed = sync.OnceValues(server.NewWorld)

// Lab is a running server within a test.
type Lab struct {
	*server.Server
	t   testing.TB
	ctx context.Context
}

// Start runs a lab until the test ends. change may alter the options.
func Start(t testing.TB, change ...func(*server.Options)) *Lab {
	t.Helper()
	world, err := seed()
	if err != nil {
		t.Fatal(err)
	}
	options := server.Options{
		Address: "127.0.0.1:0", OraclePath: filepath.Join(t.TempDir(), "oracle.jsonl"), World: world,
	}
	for _, apply := range change {
		apply(&options)
	}
	lab, err := server.Start(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lab.Close)
	trustOnce.Do(func() { whatsmeow.WACertPubKey = [32]byte(lab.RootKey()) })
	ctx, cancel := context.WithTimeout(context.Background(), 3*Patience)
	t.Cleanup(cancel)
	return &Lab{Server: lab, t: t, ctx: ctx}
}

var trustOnce sync.Once

// Account creates an account and returns its number.
func (l *Lab) Account(phone, name string) string {
	l.t.Helper()
	if _, err := l.CreateAccount(phone, "", name, model.LIDWithPhone); err != nil {
		l.t.Fatal(err)
	}
	return phone
}

// Recorded waits until the oracle holds an entry that matches, and returns it.
func (l *Lab) Recorded(what oracle.What, matches func(oracle.Entry) bool) oracle.Entry {
	l.t.Helper()
	deadline := time.After(Patience)
	for {
		changed := l.Oracle().Changed()
		for _, entry := range l.Entries(what) {
			if matches(entry) {
				return entry
			}
		}
		select {
		case <-changed:
		case <-deadline:
			l.t.Fatalf("the oracle did not record such an entry: %s", what)
		}
	}
}

// Entries lists what the oracle recorded of one kind so far.
func (l *Lab) Entries(what oracle.What) []oracle.Entry {
	l.t.Helper()
	all, err := l.Oracle().Entries(0)
	if err != nil {
		l.t.Fatal(err)
	}
	var kept []oracle.Entry
	for _, entry := range all {
		if entry.What == what {
			kept = append(kept, entry)
		}
	}
	return kept
}

// Eventually waits until a condition holds.
func Eventually(t testing.TB, condition string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(Patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("did not become true: %s", condition)
		}
		<-tick.C
	}
}
