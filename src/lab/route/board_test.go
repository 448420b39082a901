package route

import (
	"testing"

	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/model"
)

func TestWhatIsDeliveredIsToldOfBeforeAnybodyCanActOnIt(t *testing.T) {
	world := model.NewWorld(model.Keys{})
	account, err := world.CreateAccount("", "", "", "")
	if err != nil {
		t.Fatal(err)
	}
	board, told := NewBoard(world, nil), 0
	to := model.Address{Phone: account.Phone, Number: 1}
	tell := func() {
		told++
		if board.mu.TryLock() {
			t.Error("it may have been sent by now")
		}
	}
	receipt := waBinary.Node{Tag: "receipt", Attrs: waBinary.Attrs{"id": "A1"}}
	if board.deliverAfter(tell, to, receipt) || told != 0 {
		t.Error("a device that is not there got it")
	}
	if err := world.Link(account.Phone, &model.Device{Number: 1}); err != nil {
		t.Fatal(err)
	}
	if !board.deliverAfter(tell, to, receipt) || told != 1 {
		t.Error("it was not told of, or not delivered")
	}
}
