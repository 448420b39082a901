package ratchet

import (
	"bytes"
	"testing"

	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/whatsmeow/store"
)

// FuzzASessionOfAnyBytes shows that what is written after a message was decrypted is what libsignal wants written, unless
// both are sessions.
func FuzzASessionOfAnyBytes(f *testing.F) {
	state := &record.StateStructure{SessionVersion: 3, SenderBaseKey: []byte{1}}
	session := &record.SessionStructure{SessionState: state, PreviousStates: []*record.StateStructure{state}}
	whole := store.SignalProtobufSerializer.Session.Serialize(session)
	f.Add([]byte{}, []byte{})
	f.Add(whole, whole)
	f.Add(whole, []byte{0x0a, 0x00})
	f.Add([]byte{0x0a, 0x00, 0x12, 0x00}, []byte{0x0a, 0x02, 0x08, 0x03, 0x12, 0x02, 0x08, 0x03})
	f.Fuzz(func(t *testing.T, before, after []byte) {
		written := undisturbed(before, after)
		if (parsed(before) == nil || parsed(after) == nil) && !bytes.Equal(written, after) {
			t.Fatalf("%x was made of %x", written, after)
		}
	})
}
