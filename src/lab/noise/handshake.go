// Package noise is the server's half of the handshake that opens every
// connection: Noise_XX_25519_AESGCM_SHA256 with the prologue of the first four
// bytes, and the certificate chain that proves the server's static key.
package noise

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/proto/waWa6"
)

// Frames is the connection on which the handshake is spoken.
type Frames interface {
	ReadFrame(ctx context.Context) ([]byte, error)
	WriteFrame(ctx context.Context, frame []byte) error
}

// Server holds what proves the server to its clients.
type Server struct {
	Static *ecdh.PrivateKey
	Chain  []byte // the marshalled certificate chain for Static
}

// Opened is what a completed handshake yields: who spoke, and the ciphers.
type Opened struct {
	ClientStatic []byte
	Payload      *waWa6.ClientPayload
	Transport    *Transport
}

// Open answers a client's handshake. It fails when a message is malformed or
// does not decrypt; the connection is then of no further use.
func (s *Server) Open(ctx context.Context, frames Frames, prologue []byte) (*Opened, error) {
	hello, err := readHandshake(ctx, frames)
	if err != nil {
		return nil, fmt.Errorf("client hello: %w", err)
	}
	clientEphemeral, err := ecdh.X25519().NewPublicKey(hello.GetClientHello().GetEphemeral())
	if err != nil {
		return nil, fmt.Errorf("client ephemeral key: %w", err)
	}
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	state := newSymmetric(prologue)
	state.authenticate(clientEphemeral.Bytes())
	answer, err := s.serverHello(state, ephemeral, clientEphemeral)
	if err != nil {
		return nil, err
	}
	if err = frames.WriteFrame(ctx, answer); err != nil {
		return nil, err
	}
	finish, err := readHandshake(ctx, frames)
	if err != nil {
		return nil, fmt.Errorf("client finish: %w", err)
	}
	return readFinish(state, ephemeral, finish.GetClientFinish())
}

func (s *Server) serverHello(state *symmetric, ephemeral *ecdh.PrivateKey, client *ecdh.PublicKey) ([]byte, error) {
	state.authenticate(ephemeral.PublicKey().Bytes())
	if err := state.mix(ephemeral, client); err != nil {
		return nil, err
	}
	static := state.seal(s.Static.PublicKey().Bytes())
	if err := state.mix(s.Static, client); err != nil {
		return nil, err
	}
	return proto.Marshal(&waWa6.HandshakeMessage{ServerHello: &waWa6.HandshakeMessage_ServerHello{
		Ephemeral: ephemeral.PublicKey().Bytes(),
		Static:    static,
		Payload:   state.seal(s.Chain),
	}})
}

func readFinish(state *symmetric, ephemeral *ecdh.PrivateKey, finish *waWa6.HandshakeMessage_ClientFinish) (*Opened, error) {
	rawStatic, err := state.open(finish.GetStatic())
	if err != nil {
		return nil, fmt.Errorf("client static key: %w", err)
	}
	static, err := ecdh.X25519().NewPublicKey(rawStatic)
	if err != nil {
		return nil, fmt.Errorf("client static key: %w", err)
	}
	if err = state.mix(ephemeral, static); err != nil {
		return nil, err
	}
	rawPayload, err := state.open(finish.GetPayload())
	if err != nil {
		return nil, fmt.Errorf("client payload: %w", err)
	}
	opened := &Opened{ClientStatic: rawStatic, Payload: &waWa6.ClientPayload{}}
	if err = proto.Unmarshal(rawPayload, opened.Payload); err != nil {
		return nil, fmt.Errorf("client payload: %w", err)
	}
	opened.Transport, err = state.split()
	return opened, err
}

func readHandshake(ctx context.Context, frames Frames) (*waWa6.HandshakeMessage, error) {
	frame, err := frames.ReadFrame(ctx)
	if err != nil {
		return nil, err
	}
	var message waWa6.HandshakeMessage
	if err = proto.Unmarshal(frame, &message); err != nil {
		return nil, err
	}
	if message.GetClientHello() == nil && message.GetClientFinish() == nil {
		return nil, errors.New("neither hello nor finish")
	}
	return &message, nil
}
