package noise_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"testing"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/util/keys"

	"wagate.dev/src/lab/noise"
)

// FuzzAHandshakeOfAnyBytes shows that whoever does not know the protocol gets an error, and nothing worse.
func FuzzAHandshakeOfAnyBytes(f *testing.F) {
	static, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	server := &noise.Server{Static: static, Chain: []byte("chain")}
	hello, err := proto.Marshal(&waWa6.HandshakeMessage{
		ClientHello: &waWa6.HandshakeMessage_ClientHello{Ephemeral: keys.NewKeyPair().Pub[:]},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(hello, []byte{0x22, 0x00})
	f.Add(hello, hello)
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, first, last []byte) {
		wires := pipe{in: make(chan []byte, 2), out: make(chan []byte, 2)}
		wires.in <- first
		wires.in <- last
		if opened, err := server.Open(t.Context(), wires, []byte{'W', 'A', 6, 3}); err == nil {
			t.Fatalf("it was let in as %x", opened.ClientStatic)
		}
	})
}
