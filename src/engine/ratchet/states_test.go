package ratchet_test

import (
	"context"
	"fmt"
	"testing"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/libsignal/keys/identity"
	"go.mau.fi/libsignal/keys/prekey"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/session"
	"go.mau.fi/libsignal/util/optional"
	"go.mau.fi/whatsmeow/store"
)

// party is one of two who write to each other.
type party struct {
	t      *testing.T
	device *store.Device
	peer   *protocol.SignalAddress
	cipher *session.Cipher
}

func newParty(t *testing.T, peer string) *party {
	t.Helper()
	p := &party{t: t, device: guarded(t), peer: protocol.NewSignalAddress(peer, 1)}
	builder := session.NewBuilderFromSignal(p.device, p.peer, store.SignalProtobufSerializer)
	p.cipher = session.NewCipher(builder, p.peer)
	return p
}

// begin makes an encryption session with somebody from the keys that WhatsApp has of them.
func (p *party) begin(other *party) {
	p.t.Helper()
	once, err := other.device.PreKeys.GenOnePreKey(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	signed := other.device.SignedPreKey
	bundle := prekey.NewBundle(other.device.RegistrationID, 1, optional.NewOptionalUint32(once.KeyID), signed.KeyID,
		ecc.NewDjbECPublicKey(*once.Pub), ecc.NewDjbECPublicKey(*signed.Pub), *signed.Signature,
		identity.NewKey(ecc.NewDjbECPublicKey(*other.device.IdentityKey.Pub)))
	builder := session.NewBuilderFromSignal(p.device, p.peer, store.SignalProtobufSerializer)
	if err := builder.ProcessBundle(p.t.Context(), bundle); err != nil {
		p.t.Fatal(err)
	}
}

func (p *party) write(text string) protocol.CiphertextMessage {
	p.t.Helper()
	written, err := p.cipher.Encrypt(p.t.Context(), []byte(text))
	if err != nil {
		p.t.Fatal(err)
	}
	return written
}

// read decrypts what somebody wrote, as whatsmeow does.
func (p *party) read(written protocol.CiphertextMessage, want string) {
	p.t.Helper()
	err := p.device.EventBuffer.DoDecryptionTxn(p.t.Context(), func(ctx context.Context) (err error) {
		var text []byte
		if first, ok := written.(*protocol.PreKeySignalMessage); ok {
			text, err = p.cipher.DecryptMessage(ctx, first)
		} else {
			text, err = p.cipher.Decrypt(ctx, written.(*protocol.SignalMessage))
		}
		if err == nil && string(text) != want {
			err = fmt.Errorf("it says %q", text)
		}
		return err
	})
	if err != nil {
		p.t.Fatalf("%q cannot be read: %v", want, err)
	}
}

func TestTwoWhoBeginAtTheSameMomentReadEachOther(t *testing.T) {
	ada, bob := newParty(t, "bob"), newParty(t, "ada")
	ada.begin(bob)
	bob.begin(ada)
	ofAda, ofBob := ada.write("ada 0"), bob.write("bob 0")
	laterOfAda := ada.write("ada 1")
	for n := range 20 {
		bob.read(ofAda, fmt.Sprint("ada ", n))
		ada.read(ofBob, fmt.Sprint("bob ", n))
		ofAda, ofBob = laterOfAda, bob.write(fmt.Sprint("bob ", n+1))
		laterOfAda = ada.write(fmt.Sprint("ada ", n+2))
	}
}
