package pair

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"go.mau.fi/libsignal/ecc"
	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/util/keys"
)

// The prefixes that keep the two signatures of a device identity apart.
var (
	accountPrefix = []byte{6, 0}
	devicePrefix  = []byte{6, 1}
)

// identity is a companion's identity as the phone vouches for it.
type identity struct {
	account *keys.KeyPair
	device  []byte // the companion's identity key
	details []byte
}

func newIdentity(account *keys.KeyPair, device []byte, keyIndex uint32, now time.Time) (*identity, error) {
	var raw [4]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return nil, err
	}
	details, err := proto.Marshal(&waAdv.ADVDeviceIdentity{
		RawID:     proto.Uint32(binary.BigEndian.Uint32(raw[:])),
		Timestamp: proto.Uint64(uint64(now.Unix())),
		KeyIndex:  proto.Uint32(keyIndex),
	})
	return &identity{account: account, device: device, details: details}, err
}

// container is what the companion is told: the identity, signed by the account
// and authenticated with the secret that only the two share.
func (i *identity) container(secret []byte) ([]byte, error) {
	signature := ecc.CalculateSignature(
		ecc.NewDjbECPrivateKey(*i.account.Priv), slices.Concat(accountPrefix, i.details, i.device))
	signed, err := proto.Marshal(&waAdv.ADVSignedDeviceIdentity{
		Details:             i.details,
		AccountSignatureKey: i.account.Pub[:],
		AccountSignature:    signature[:],
	})
	if err != nil {
		return nil, err
	}
	digest := hmac.New(sha256.New, secret)
	digest.Write(signed)
	return proto.Marshal(&waAdv.ADVSignedDeviceIdentityHMAC{Details: signed, HMAC: digest.Sum(nil)})
}

// confirmedBy tells whether the companion countersigned this very identity.
func (i *identity) confirmedBy(answer []byte) bool {
	var signed waAdv.ADVSignedDeviceIdentity
	if proto.Unmarshal(answer, &signed) != nil || len(signed.GetDeviceSignature()) != 64 {
		return false
	}
	message := slices.Concat(devicePrefix, i.details, i.device, i.account.Pub[:])
	key := ecc.NewDjbECPublicKey([32]byte(i.device))
	return slices.Equal(signed.GetDetails(), i.details) &&
		ecc.VerifySignature(key, message, [64]byte(signed.GetDeviceSignature()))
}
