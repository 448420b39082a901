package wire_test

import (
	"reflect"
	"testing"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"

	"wagate.dev/src/lab/wire"
)

var message = waBinary.Node{
	Tag: "message",
	Attrs: waBinary.Attrs{
		"id": "3EB0C0FFEE", "type": "text", "to": types.JID{User: "12345678901234", Server: types.HiddenUserServer, Device: 3},
	},
	Content: []waBinary.Node{
		{Tag: "enc", Attrs: waBinary.Attrs{"v": "2", "type": "pkmsg"}, Content: []byte{0, 1, 2, 255}},
		{Tag: "meta"},
	},
}

func TestANodeIsWhatItWasAfterTheWire(t *testing.T) {
	data, err := wire.Encode(message)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := wire.Decode(data)
	if err != nil || !reflect.DeepEqual(*decoded, message) {
		t.Fatalf("%v %v", decoded, err)
	}
}

func TestAValueTheCodecDoesNotKnowIsAnError(t *testing.T) {
	if _, err := wire.Encode(waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"t": 1.5}}); err == nil {
		t.Fatal("it was encoded")
	}
}

// FuzzDecode shows that no bytes whatever make the codec panic, neither reading
// them nor writing again what was read.
func FuzzDecode(f *testing.F) {
	for _, node := range []waBinary.Node{message, {Tag: "iq"}, {Tag: "ib", Attrs: waBinary.Attrs{"from": types.ServerJID}}} {
		data, err := wire.Encode(node)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, data := range [][]byte{nil, {0}, {2, 1}, {0, 248, 1}, {0, 248, 3, 250, 250, 0, 0}, {0, 248, 2, 19, 247, 0, 0, 248}} {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		node, err := wire.Decode(data)
		if err == nil && node == nil {
			t.Fatal("neither node nor error")
		}
		if err == nil {
			_, _ = wire.Encode(*node) // may refuse what it would never write itself
		}
	})
}
