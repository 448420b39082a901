// Package model is the state of a lab's world: its keys, the accounts, their
// devices with keys and queues. It can be written as JSON and read again.
package model

import (
	"encoding/base64"
	"fmt"

	"go.mau.fi/whatsmeow/util/keys"
)

// PrivateKey is a Curve25519 private key, written as base64.
type PrivateKey [32]byte

// NewPrivateKey makes a random key.
func NewPrivateKey() PrivateKey { return PrivateKey(*keys.NewKeyPair().Priv) }

// Pair gives the key with its public half.
func (k PrivateKey) Pair() *keys.KeyPair { return keys.NewKeyPairFromPrivateKey(k) }

// Public gives the public half.
func (k PrivateKey) Public() []byte { return k.Pair().Pub[:] }

// MarshalText writes the key as base64.
func (k PrivateKey) MarshalText() ([]byte, error) {
	return []byte(base64.StdEncoding.EncodeToString(k[:])), nil
}

// UnmarshalText reads what MarshalText wrote.
func (k *PrivateKey) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return err
	}
	if len(raw) != len(k) {
		return fmt.Errorf("a private key of %d bytes", len(raw))
	}
	copy(k[:], raw)
	return nil
}

// PreKey is the public half of a one-time or signed prekey. Signature is empty
// for one-time keys.
type PreKey struct {
	ID        []byte `json:"id"` // three bytes, big endian
	Public    []byte `json:"public"`
	Signature []byte `json:"signature,omitempty"`
}

// Keys is all that clients trust the lab by.
type Keys struct {
	AuthorityCertificate []byte     `json:"authority_certificate"` // DER
	AuthorityKey         []byte     `json:"authority_key"`         // PKCS #8
	Root                 PrivateKey `json:"root"`                  // signs the noise certificates
	Static               PrivateKey `json:"static"`                // the server's half of every handshake
}
