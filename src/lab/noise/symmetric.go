package noise

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
)

// pattern is exactly 32 bytes long and therefore used as it is, not hashed.
const pattern = "Noise_XX_25519_AESGCM_SHA256\x00\x00\x00\x00"

// symmetric is the running hash and key of a handshake.
type symmetric struct {
	hash, chain []byte
	key         cipher.AEAD
	counter     uint32
}

func newSymmetric(prologue []byte) *symmetric {
	state := &symmetric{hash: []byte(pattern), chain: []byte(pattern), key: mustAEAD([]byte(pattern))}
	state.authenticate(prologue)
	return state
}

func (s *symmetric) authenticate(data []byte) {
	digest := sha256.New()
	digest.Write(s.hash)
	digest.Write(data)
	s.hash = digest.Sum(nil)
}

func (s *symmetric) seal(plain []byte) []byte {
	sealed := s.key.Seal(nil, nonce(s.counter), plain, s.hash)
	s.counter++
	s.authenticate(sealed)
	return sealed
}

func (s *symmetric) open(sealed []byte) ([]byte, error) {
	plain, err := s.key.Open(nil, nonce(s.counter), sealed, s.hash)
	s.counter++
	if err != nil {
		return nil, err
	}
	s.authenticate(sealed)
	return plain, nil
}

func (s *symmetric) mix(private *ecdh.PrivateKey, public *ecdh.PublicKey) error {
	secret, err := private.ECDH(public)
	if err != nil {
		return err
	}
	chain, key, err := expand(secret, s.chain)
	if err != nil {
		return err
	}
	s.chain, s.key, s.counter = chain, mustAEAD(key), 0
	return nil
}

func (s *symmetric) split() (*Transport, error) {
	fromClient, toClient, err := expand(nil, s.chain)
	if err != nil {
		return nil, err
	}
	return &Transport{read: mustAEAD(fromClient), write: mustAEAD(toClient)}, nil
}

func expand(secret, salt []byte) (first, second []byte, err error) {
	both, err := hkdf.Key(sha256.New, secret, salt, "", 64)
	if err != nil {
		return nil, nil, err
	}
	return both[:32], both[32:], nil
}

func nonce(counter uint32) []byte {
	iv := make([]byte, 12)
	binary.BigEndian.PutUint32(iv[8:], counter)
	return iv
}

// mustAEAD panics only on a key of the wrong length, which no caller can make.
func mustAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// Transport encrypts and decrypts frames after the handshake. Each direction
// has its own counter, so Seal must be called in the order of sending and Open
// in the order of arrival; the two may run at the same time.
type Transport struct {
	read, write               cipher.AEAD
	readCounter, writeCounter uint32
}

// Seal encrypts the next frame to the client.
func (t *Transport) Seal(plain []byte) []byte {
	sealed := t.write.Seal(nil, nonce(t.writeCounter), plain, nil)
	t.writeCounter++
	return sealed
}

// Open decrypts the next frame from the client, in place.
func (t *Transport) Open(sealed []byte) ([]byte, error) {
	plain, err := t.read.Open(sealed[:0], nonce(t.readCounter), sealed, nil)
	t.readCounter++
	return plain, err
}
