package fencedstore

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"slices"
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

// onBoth does the same in turn on both, so that what else the machine does weighs on both alike, and tells the medians.
func onBoth(b *testing.B, act func(testing.TB, *store.Device, int)) {
	kept, err := keystore.Open(context.Background(), filepath.Join(b.TempDir(), "keys.db"), discard)
	must(b, err)
	b.Cleanup(func() { kept.Close() })
	inFile := linked(b, kept.NewDevice(), ours)
	inDatabase := link(b, open(b, engine(b, postgrestest.DurableDatabase(b)), "shop", 1), ours)
	var file, database []time.Duration
	for number := 0; b.Loop(); number++ {
		file = append(file, took(func() { act(b, inFile, number) }))
		database = append(database, took(func() { act(b, inDatabase, number) }))
	}
	b.ReportMetric(median(file).Seconds()*1000, "file-ms")
	b.ReportMetric(median(database).Seconds()*1000, "database-ms")
	b.ReportMetric(float64(median(database))/float64(median(file)), "ratio")
}

func took(act func()) time.Duration {
	began := time.Now()
	act()
	return time.Since(began)
}

func median(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)/2]
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
		if err := device.Sessions.PutSession(ctx, "a:1", turned(number)); err != nil {
			return err
		}
		return buffer.PutBufferedEvent(ctx, hash, make([]byte, 200), time.Unix(1, 0))
	}))
	must(t, buffer.DoDecryptionTxn(ctx, func(ctx context.Context) error { return buffer.ClearBufferedEventPlaintext(ctx, hash) }))
}

// send does what a message that leaves does: read the ratchets of its recipients' devices, and write them back for the disk.
func send(t testing.TB, device *store.Device, number int) {
	ctx, addresses := context.Background(), []string{"a:1", "a:2"}
	_, err := device.Sessions.GetManySessions(ctx, addresses)
	must(t, err)
	must(t, device.Sessions.PutManySessions(ctx, map[string][]byte{"a:1": turned(number), "a:2": turned(number)}))
}

// turned is a ratchet that differs from all before it: SQLite writes nothing where nothing differs.
func turned(number int) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 800), uint64(number))
}
