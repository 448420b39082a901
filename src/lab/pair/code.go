package pair

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"

	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
)

// Sizes of the parts of wrapped keys.
const (
	saltSize       = 32
	ivSize         = 16
	nonceSize      = 12
	keySize        = 32
	wrappedKeySize = saltSize + ivSize + keySize
	codeIterations = 2 << 16
)

var errMalformedCodeStage = errors.New("the client sent malformed keys for linking by code")

// Enter links the client that waits for a code to the account it asked for. A
// wrong code may be followed by another try.
func (d *Desk) Enter(ctx context.Context, phone, code string) (types.JID, error) {
	account, err := d.world.Account(phone)
	if err != nil {
		return types.EmptyJID, err
	}
	candidate := d.find(func(c *Candidate) bool { return c.awaitsCode(phone) })
	if candidate == nil {
		return types.EmptyJID, ErrNoCodeRequested
	}
	attempt, err := candidate.try(normalCode(code), account)
	if err != nil {
		return types.EmptyJID, err
	}
	select {
	case <-attempt.finished:
	case <-candidate.conn.Done():
		return types.EmptyJID, ErrConnectionLost
	case <-ctx.Done():
		return types.EmptyJID, ctx.Err()
	}
	secret, err := attempt.secret(account, candidate.registration.GetEIdent())
	if err != nil {
		return types.EmptyJID, err
	}
	return candidate.linkTo(ctx, account, secret)
}

func normalCode(code string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
}

// attempt is one code that was entered, and the keys it led to.
type attempt struct {
	phoneKey     *ecdh.PrivateKey
	companionKey *ecdh.PublicKey
	wrapped      []byte // the phone's key, encrypted with the code
	bundle       []byte // set before finished is closed
	finished     chan struct{}
}

func newAttempt(code string, wrappedCompanionKey []byte) (*attempt, error) {
	if len(wrappedCompanionKey) != wrappedKeySize {
		return nil, errMalformedCodeStage
	}
	raw, err := crypt(code, wrappedCompanionKey[:saltSize+ivSize], wrappedCompanionKey[saltSize+ivSize:])
	if err != nil {
		return nil, err
	}
	companionKey, err := ecdh.X25519().NewPublicKey(raw)
	if err != nil {
		return nil, err
	}
	phoneKey, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	head := make([]byte, saltSize+ivSize)
	_, _ = rand.Read(head) // never fails: crypto/rand aborts the program instead
	encrypted, err := crypt(code, head, phoneKey.PublicKey().Bytes())
	if err != nil {
		return nil, err
	}
	return &attempt{
		phoneKey: phoneKey, companionKey: companionKey,
		wrapped: append(head, encrypted...), finished: make(chan struct{}),
	}, nil
}

// crypt encrypts or decrypts a key with a code; head is salt and IV.
func crypt(code string, head, key []byte) ([]byte, error) {
	derived, err := pbkdf2.Key(sha256.New, code, head[:saltSize], codeIterations, keySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(key))
	cipher.NewCTR(block, head[saltSize:]).XORKeyStream(out, key)
	return out, nil
}

// secret opens the companion's bundle and derives the secret that both share.
// A bundle that does not open was made with another code.
func (a *attempt) secret(account *model.Account, companionIdentity []byte) ([]byte, error) {
	shared, err := a.phoneKey.ECDH(a.companionKey)
	if err != nil {
		return nil, ErrWrongCode
	}
	opened, err := openBundle(shared, a.bundle)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(opened[:keySize], companionIdentity) ||
		!slices.Equal(opened[keySize:2*keySize], account.Identity.Public()) {
		return nil, ErrForeignKeys
	}
	identityKey, err := ecdh.X25519().NewPublicKey(opened[:keySize])
	if err != nil {
		return nil, err
	}
	accountKey, err := ecdh.X25519().NewPrivateKey(account.Identity[:])
	if err != nil {
		return nil, err
	}
	sharedIdentity, err := accountKey.ECDH(identityKey)
	if err != nil {
		return nil, err
	}
	return hkdf.Key(sha256.New, slices.Concat(shared, sharedIdentity, opened[2*keySize:]), nil, "adv_secret", keySize)
}

func openBundle(shared, bundle []byte) ([]byte, error) {
	if len(bundle) < saltSize+nonceSize {
		return nil, errMalformedCodeStage
	}
	salt, nonce, sealed := bundle[:saltSize], bundle[saltSize:saltSize+nonceSize], bundle[saltSize+nonceSize:]
	key, err := hkdf.Key(sha256.New, shared, salt, "link_code_pairing_key_bundle_encryption_key", keySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	opened, err := gcm.Open(nil, nonce, sealed, nil)
	if err != nil || len(opened) != 3*keySize {
		return nil, ErrWrongCode
	}
	return opened, nil
}
