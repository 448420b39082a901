package line

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"go.mau.fi/libsignal/signalerror"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	"wagate.dev/src/engine/keystore"
)

// linkedDevice is a device in a store of its own, as whatsmeow makes it.
func linkedDevice(t *testing.T) (*store.Device, *keystore.Keystore) {
	t.Helper()
	keys, err := keystore.Open(context.Background(), filepath.Join(t.TempDir(), "keys.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	device := keys.NewDevice()
	device.ID = &types.JID{User: "4915112345678", Device: 7, Server: types.DefaultUserServer}
	device.Account = &waAdv.ADVSignedDeviceIdentity{
		Details: []byte{1}, AccountSignature: make([]byte, 64), AccountSignatureKey: make([]byte, 32), DeviceSignature: make([]byte, 64),
	}
	if err := device.Save(context.Background()); err != nil {
		t.Fatal(err)
	}
	return device, keys
}

func newGate(t *testing.T) (*gate, *keystore.Keystore, chan error) {
	t.Helper()
	device, keys := linkedDevice(t)
	failed := make(chan error, 1)
	return &gate{EventBuffer: device.EventBuffer, storeFailed: func(err error) { failed <- err }}, keys, failed
}

func TestAShutGateLetsNothingBeDecryptedOrMarkedAsDone(t *testing.T) {
	gate, _, failed := newGate(t)
	ctx := context.Background()
	hash := [32]byte{1}
	put := func(ctx context.Context) error { return gate.PutBufferedEvent(ctx, hash, []byte("words"), time.Now()) }
	if err := gate.DoDecryptionTxn(ctx, put); err != nil {
		t.Fatal(err)
	}
	gate.close()
	err := gate.DoDecryptionTxn(ctx, func(context.Context) error { t.Error("it was decrypted"); return nil })
	_, getErr := gate.GetBufferedEvent(ctx, hash)
	for _, err := range []error{err, getErr, gate.ClearBufferedEventPlaintext(ctx, hash)} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("whatsmeow was told %v", err)
		}
	}
	kept, err := gate.EventBuffer.GetBufferedEvent(ctx, hash)
	if err != nil || kept == nil || string(kept.Plaintext) != "words" {
		t.Errorf("kept was %v (%v)", kept, err)
	}
	if len(failed) > 0 {
		t.Errorf("the store is said to have failed: %v", <-failed)
	}
}

func TestAGateWaitsForWhatHasPassed(t *testing.T) {
	gate, _, _ := newGate(t)
	passed, goOn, waited := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go gate.DoDecryptionTxn(context.Background(), func(context.Context) error { //nolint:errcheck // its end is what is waited for
		close(passed)
		<-goOn
		return nil
	})
	<-passed
	gate.close()
	go func() {
		gate.wait()
		close(waited)
	}()
	select {
	case <-waited:
		t.Fatal("it did not wait")
	case <-time.After(20 * time.Millisecond):
	}
	close(goOn)
	select {
	case <-waited:
	case <-time.After(patience):
		t.Fatal("it waits for ever")
	}
}

func TestAStoreThatFailsIsNotTakenForAMessageThatCannotBeRead(t *testing.T) {
	gate, keys, failed := newGate(t)
	unreadable := errors.New("bad MAC")
	err := gate.DoDecryptionTxn(context.Background(), func(context.Context) error { return unreadable })
	if !errors.Is(err, unreadable) || errors.Is(err, context.Canceled) || len(failed) > 0 {
		t.Fatalf("a message that cannot be read: %v", err)
	}
	if err := keys.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := gate.GetBufferedEvent(context.Background(), [32]byte{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("whatsmeow was told %v", err)
	}
	select {
	case <-failed:
	case <-time.After(patience):
		t.Fatal("nobody was told that the store failed")
	}
}

func TestAMessageUnderAUsedKeyIsOneThatCannotBeReadAndNoRepetition(t *testing.T) {
	gate, _, failed := newGate(t)
	err := gate.DoDecryptionTxn(context.Background(), func(context.Context) error {
		return fmt.Errorf("no message key: %w (index: 3, count: 2)", signalerror.ErrOldCounter)
	})
	if !errors.Is(err, errUsedKey) || errors.Is(err, signalerror.ErrOldCounter) || errors.Is(err, context.Canceled) || len(failed) > 0 {
		t.Errorf("whatsmeow was told %v", err)
	}
}

func TestEachNewPairOfNamesIsToldOnce(t *testing.T) {
	device, _ := linkedDevice(t)
	ctx := context.Background()
	var told []string
	watched := names{device.LIDs, func(lid, phone types.JID) { told = append(told, lid.User+"="+phone.User) }}
	pair := func(lid, phone string) (types.JID, types.JID) {
		return types.JID{User: lid, Device: 3, Server: types.HiddenUserServer}, types.NewJID(phone, types.DefaultUserServer)
	}
	for range 2 {
		lid, phone := pair("1", "49")
		if err := watched.PutLIDMapping(ctx, lid, phone); err != nil {
			t.Fatal(err)
		}
	}
	firstLID, firstPhone := pair("1", "49")
	secondLID, secondPhone := pair("2", "48")
	err := watched.PutManyLIDMappings(ctx, []store.LIDMapping{{LID: firstLID, PN: firstPhone}, {LID: secondLID, PN: secondPhone}})
	if err != nil || len(told) != 2 || told[0] != "1=49" || told[1] != "2=48" {
		t.Fatalf("told were %v (%v)", told, err)
	}
}

func TestManyKeysAreMadeInOneTransaction(t *testing.T) {
	device, _ := linkedDevice(t)
	made, err := preKeys{device.PreKeys, device.EventBuffer}.GetOrGenPreKeys(context.Background(), 812)
	if err != nil || len(made) != 812 {
		t.Fatalf("made were %d (%v)", len(made), err)
	}
	kept, err := device.PreKeys.GetPreKey(context.Background(), made[811].KeyID)
	if err != nil || kept == nil || *kept.Pub != *made[811].Pub {
		t.Fatalf("kept was %v (%v)", kept, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := (preKeys{device.PreKeys, device.EventBuffer}).GetOrGenPreKeys(ctx, 5); err == nil {
		t.Fatal("keys were made though nobody waits for them")
	}
}
