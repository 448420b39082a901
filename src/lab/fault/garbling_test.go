package fault

import (
	"bytes"
	"testing"

	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/model"
)

func message(id string) waBinary.Node {
	ciphertext := bytes.Repeat([]byte{1}, 64)
	return waBinary.Node{
		Tag: "message", Attrs: waBinary.Attrs{"id": id, "from": "anna"},
		Content: []waBinary.Node{{Tag: "enc", Content: ciphertext}, {Tag: "reporting"}},
	}
}

// arrivesSound tells whether a message leaves the desk as it came.
func arrivesSound(t *testing.T, desk *Desk, to model.Address, queued *waBinary.Node) bool {
	t.Helper()
	sent := *queued
	if desk.Outgoing(to, &sent, nil) != 1 {
		t.Fatal("a message was kept")
	}
	if kept := queued.GetChildren()[0].Content.([]byte); !bytes.Equal(kept, bytes.Repeat([]byte{1}, 64)) {
		t.Fatal("what is queued was spoilt too")
	}
	return bytes.Equal(sent.GetChildren()[0].Content.([]byte), queued.GetChildren()[0].Content.([]byte))
}

func TestSoManyMessagesAreSpoiltAndEachOnceAtMost(t *testing.T) {
	desk, shop := NewDesk(), model.Address{Phone: "491700000001", Number: 1}
	desk.Set(model.Address{Phone: shop.Phone}, Fault{GarbleCount: 2})
	one, two, three := message("1"), message("2"), message("3")
	for _, delivery := range []struct {
		what  *waBinary.Node
		sound bool
	}{{&one, false}, {&one, true}, {&two, false}, {&three, true}, {&two, true}} {
		if sound := arrivesSound(t, desk, shop, delivery.what); sound != delivery.sound {
			t.Errorf("message %s arrives sound: %t", delivery.what.Attrs["id"], sound)
		}
	}
}

func TestOtherAccountsAndStanzasAreNotSpoilt(t *testing.T) {
	desk, shop := NewDesk(), model.Address{Phone: "491700000001", Number: 1}
	desk.Set(model.Address{Phone: shop.Phone}, Fault{GarbleCount: 1})
	one := message("1")
	if !arrivesSound(t, desk, model.Address{Phone: "491700000002", Number: 1}, &one) {
		t.Error("a message to another account was spoilt")
	}
	receipt := message("2")
	receipt.Tag = "receipt"
	if !arrivesSound(t, desk, shop, &receipt) {
		t.Error("a receipt was spoilt")
	}
	if arrivesSound(t, desk, shop, &one) {
		t.Error("the message was not spoilt")
	}
}
