package server_test

import (
	"testing"

	"go.mau.fi/whatsmeow/types/events"

	"wagate.dev/src/lab/labtest"
)

const (
	ada = "491700000001"
	bob = "491700000002"
)

func TestAClientPairsByQRAndBothChat(t *testing.T) {
	lab := labtest.Start(t)
	first := lab.Pair(lab.Account(ada, "Ada"))
	second := lab.Pair(lab.Account(bob, "Bob"))

	id := first.Say(labtest.PN(bob), "hello")
	message, text := second.Hear()
	if text != "hello" || message.Info.ID != id || message.Info.PushName != "Ada" {
		t.Fatalf("Bob heard %q as %+v", text, message.Info)
	}
	if message.Info.SenderAlt.User != ada {
		t.Fatalf("the other identity of the sender is %v", message.Info.SenderAlt)
	}
	receipt := labtest.Await[*events.Receipt](first)
	if receipt.MessageIDs[0] != id {
		t.Fatalf("a receipt for %v, not %s", receipt.MessageIDs, id)
	}
	second.Say(message.Info.Sender.ToNonAD(), "and hello to you")
	if _, text = first.Hear(); text != "and hello to you" {
		t.Fatalf("Ada heard %q", text)
	}
	if unanswered := lab.Unanswered(); len(unanswered) > 0 {
		t.Fatalf("not answered: %v", unanswered)
	}
}
