package noise

import (
	"time"

	"go.mau.fi/libsignal/ecc"
	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/proto/waCert"
	"go.mau.fi/whatsmeow/util/keys"
)

// The serials clients expect: the intermediate is issued by the root, whose
// serial is 0, and issues the leaf.
const (
	rootSerial         = 0
	intermediateSerial = 1
	leafSerial         = 2
)

var (
	notBefore = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	notAfter  = time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Chain signs the server's static public key: root signs a new intermediate,
// the intermediate signs the leaf. Signatures are XEdDSA.
func Chain(root *keys.KeyPair, static [32]byte) ([]byte, error) {
	between := keys.NewKeyPair()
	intermediate, err := certificate(intermediateSerial, rootSerial, *between.Pub, root)
	if err != nil {
		return nil, err
	}
	leaf, err := certificate(leafSerial, intermediateSerial, static, between)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(&waCert.CertChain{Intermediate: intermediate, Leaf: leaf})
}

func certificate(serial, issuer uint32, key [32]byte, signer *keys.KeyPair) (*waCert.CertChain_NoiseCertificate, error) {
	details, err := proto.Marshal(&waCert.CertChain_NoiseCertificate_Details{
		Serial:       proto.Uint32(serial),
		IssuerSerial: proto.Uint32(issuer),
		Key:          key[:],
		NotBefore:    proto.Uint64(uint64(notBefore.Unix())),
		NotAfter:     proto.Uint64(uint64(notAfter.Unix())),
	})
	if err != nil {
		return nil, err
	}
	signature := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*signer.Priv), details)
	return &waCert.CertChain_NoiseCertificate{Details: details, Signature: signature[:]}, nil
}
