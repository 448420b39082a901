package server

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"time"

	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/noise"
)

// Certificates are valid as long as anybody will run this.
var (
	validFrom  = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	validUntil = time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC)
)

// hostNames are what clients call the server, wherever they dial.
var hostNames = []string{"web.whatsapp.com", "mmg.whatsapp.net", "*.whatsapp.net", "localhost"}

// trust is what the server proves itself with, made from a world's keys.
type trust struct {
	noise       noise.Server
	certificate tls.Certificate
	authority   []byte // PEM
	root        []byte // public key
}

// newKeys makes the keys of a new world.
func newKeys() (model.Keys, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return model.Keys{}, err
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "wagate lab authority"},
		NotBefore: validFrom, NotAfter: validUntil, KeyUsage: x509.KeyUsageCertSign,
		BasicConstraintsValid: true, IsCA: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return model.Keys{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	return model.Keys{
		AuthorityCertificate: certificate, AuthorityKey: private,
		Root: model.NewPrivateKey(), Static: model.NewPrivateKey(),
	}, err
}

func newTrust(keys model.Keys) (*trust, error) {
	certificate, err := newLeaf(keys)
	if err != nil {
		return nil, err
	}
	chain, err := noise.Chain(keys.Root.Pair(), [32]byte(keys.Static.Public()))
	if err != nil {
		return nil, err
	}
	static, err := ecdh.X25519().NewPrivateKey(keys.Static[:])
	if err != nil {
		return nil, err
	}
	return &trust{
		noise:       noise.Server{Static: static, Chain: chain},
		certificate: certificate,
		authority:   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: keys.AuthorityCertificate}),
		root:        keys.Root.Public(),
	}, nil
}

func newLeaf(keys model.Keys) (tls.Certificate, error) {
	authority, err := x509.ParseCertificate(keys.AuthorityCertificate)
	if err != nil {
		return tls.Certificate{}, err
	}
	private, err := x509.ParsePKCS8PrivateKey(keys.AuthorityKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	signer, ok := private.(*ecdsa.PrivateKey)
	if !ok {
		return tls.Certificate{}, errors.New("the authority's key is not an ECDSA key")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "wagate lab"},
		NotBefore: validFrom, NotAfter: validUntil, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    hostNames, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	leaf, err := x509.CreateCertificate(rand.Reader, &template, authority, &key.PublicKey, signer)
	return tls.Certificate{Certificate: [][]byte{leaf}, PrivateKey: key}, err
}
