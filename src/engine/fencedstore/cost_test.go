package fencedstore

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/store"

	"wagate.dev/src/engine/keystore"
	"wagate.dev/src/engine/postgrestest"
)

// What it costs to keep what a decryption and what a send turn, in a file and in a database on the same disk:
//
//	go test -C src -run '^$' -bench . ./engine/fencedstore
func BenchmarkDecrypt(b *testing.B) { onBoth(b, decrypt) }

func BenchmarkSend(b *testing.B) { onBoth(b, send) }

func onBoth(b *testing.B, act func(testing.TB, *store.Device, int)) {
	b.Run("file", func(b *testing.B) {
		kept, err := keystore.Open(context.Background(), filepath.Join(b.TempDir(), "keys.db"), discard)
		must(b, err)
		b.Cleanup(func() { kept.Close() })
		device := linked(b, kept.NewDevice(), ours)
		for number := 0; b.Loop(); number++ {
			act(b, device, number)
		}
	})
	b.Run("database", func(b *testing.B) {
		device := link(b, open(b, engine(b, postgrestest.DurableDatabase(b)), "shop", 1), ours)
		for number := 0; b.Loop(); number++ {
			act(b, device, number)
		}
	})
}

// decrypt does what a message that arrives does: look in the buffer, turn a ratchet beside the plaintext, and mark it as
// done, for the disk.
func decrypt(t testing.TB, device *store.Device, number int) {
	ctx, buffer := context.Background(), device.EventBuffer
	hash := [32]byte{byte(number), byte(number >> 8), byte(number >> 16), byte(number >> 24)}
	_, err := buffer.GetBufferedEvent(ctx, hash)
	must(t, err)
	must(t, buffer.DoDecryptionTxn(keystore.Lazily(ctx), func(ctx context.Context) error {
		if _, err := device.Sessions.GetSession(ctx, "a:1"); err != nil {
			return err
		}
		if err := device.Sessions.PutSession(ctx, "a:1", make([]byte, 800)); err != nil {
			return err
		}
		return buffer.PutBufferedEvent(ctx, hash, make([]byte, 200), time.Unix(1, 0))
	}))
	must(t, buffer.DoDecryptionTxn(ctx, func(ctx context.Context) error { return buffer.ClearBufferedEventPlaintext(ctx, hash) }))
}

// send does what a message that leaves does: read the ratchets of its recipients' devices, and write them back for the disk.
func send(t testing.TB, device *store.Device, _ int) {
	ctx, addresses := context.Background(), []string{"a:1", "a:2"}
	_, err := device.Sessions.GetManySessions(ctx, addresses)
	must(t, err)
	must(t, device.Sessions.PutManySessions(ctx, map[string][]byte{"a:1": make([]byte, 800), "a:2": make([]byte, 800)}))
}
