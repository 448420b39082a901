package noise_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/proto/waCert"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/socket"
	"go.mau.fi/whatsmeow/util/keys"

	"wagate.dev/src/lab/noise"
)

// pipe carries frames between the two sides of a handshake.
type pipe struct{ in, out chan []byte }

func (p pipe) ReadFrame(ctx context.Context) ([]byte, error) {
	select {
	case frame := <-p.in:
		return frame, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p pipe) WriteFrame(_ context.Context, frame []byte) error {
	p.out <- frame
	return nil
}

func newServer(t *testing.T) *noise.Server {
	t.Helper()
	static, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := noise.Chain(keys.NewKeyPair(), [32]byte(static.PublicKey().Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return &noise.Server{Static: static, Chain: chain}
}

// shake plays the client with whatsmeow's own half of the handshake. spoil may
// change what the client says last.
func shake(t *testing.T, server *noise.Server, spoil func(*waWa6.HandshakeMessage_ClientFinish)) (*noise.Opened, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	wires := pipe{in: make(chan []byte, 2), out: make(chan []byte, 2)}
	prologue := []byte{'W', 'A', 6, 3}
	ephemeral, static := keys.NewKeyPair(), keys.NewKeyPair()
	client := socket.NewNoiseHandshake()
	client.Start(socket.NoiseStartPattern, prologue)
	client.Authenticate(ephemeral.Pub[:])
	wires.in <- marshal(t, &waWa6.HandshakeMessage{ClientHello: &waWa6.HandshakeMessage_ClientHello{Ephemeral: ephemeral.Pub[:]}})
	go func() { wires.in <- finish(t, client, ephemeral, static, <-wires.out, spoil) }()
	opened, err := server.Open(ctx, wires, prologue)
	if err == nil && string(opened.ClientStatic) != string(static.Pub[:]) {
		t.Error("another client's key")
	}
	return opened, err
}

func finish(
	t *testing.T, client *socket.NoiseHandshake, ephemeral, static *keys.KeyPair, answer []byte,
	spoil func(*waWa6.HandshakeMessage_ClientFinish),
) []byte {
	var message waWa6.HandshakeMessage
	if err := proto.Unmarshal(answer, &message); err != nil {
		t.Error(err)
	}
	hello := message.GetServerHello()
	serverEphemeral := [32]byte(hello.GetEphemeral())
	client.Authenticate(serverEphemeral[:])
	check(t, client.MixSharedSecretIntoKey(*ephemeral.Priv, serverEphemeral))
	serverStatic, err := client.Decrypt(hello.GetStatic())
	check(t, err)
	check(t, client.MixSharedSecretIntoKey(*ephemeral.Priv, [32]byte(serverStatic)))
	chain, err := client.Decrypt(hello.GetPayload())
	check(t, err)
	check(t, proto.Unmarshal(chain, &waCert.CertChain{}))
	last := &waWa6.HandshakeMessage_ClientFinish{Static: client.Encrypt(static.Pub[:])}
	check(t, client.MixSharedSecretIntoKey(*static.Priv, serverEphemeral))
	last.Payload = client.Encrypt(marshal(t, &waWa6.ClientPayload{Username: proto.Uint64(491700000001)}))
	spoil(last)
	return marshal(t, &waWa6.HandshakeMessage{ClientFinish: last})
}

func check(t *testing.T, err error) {
	if err != nil {
		t.Error(err)
	}
}

func marshal(t *testing.T, message proto.Message) []byte {
	data, err := proto.Marshal(message)
	check(t, err)
	return data
}

func TestAHandshakeTellsWhoTheClientIs(t *testing.T) {
	opened, err := shake(t, newServer(t), func(*waWa6.HandshakeMessage_ClientFinish) {})
	if err != nil || opened.Payload.GetUsername() != 491700000001 {
		t.Fatalf("%+v %v", opened, err)
	}
}

func TestAChangedLastWordIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*waWa6.HandshakeMessage_ClientFinish){
		"static":  func(last *waWa6.HandshakeMessage_ClientFinish) { last.Static[3] ^= 1 },
		"payload": func(last *waWa6.HandshakeMessage_ClientFinish) { last.Payload[3] ^= 1 },
		"empty":   func(last *waWa6.HandshakeMessage_ClientFinish) { last.Static, last.Payload = nil, nil },
	} {
		if _, err := shake(t, newServer(t), spoil); err == nil {
			t.Errorf("with another %s it was accepted", name)
		}
	}
}
