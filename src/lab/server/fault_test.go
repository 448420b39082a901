package server_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"wagate.dev/src/lab/fault"
	"wagate.dev/src/lab/labtest"
	"wagate.dev/src/lab/oracle"
)

func TestAcksAreHeldUntilReleased(t *testing.T) {
	lab, first, second := two(t)
	lab.SetDeviceFault(device(ada, 1), fault.Fault{AcksHeld: true})
	sent := make(chan types.MessageID)
	go func() { sent <- first.Say(labtest.PN(bob), "hello") }()
	second.Hear()
	labtest.Eventually(t, "the ack is held", func() bool { return lab.HeldAcks(device(ada, 1)) == 1 })
	select {
	case <-sent:
		t.Fatal("the sender was acked")
	default:
	}
	lab.SetDeviceFault(device(ada, 1), fault.Fault{})
	<-sent
}

func TestAFrozenSocketAnswersAgainAfterReconnecting(t *testing.T) {
	lab, first, second := two(t)
	if err := lab.SetFault(bob, fault.Fault{Frozen: true}); err != nil {
		t.Fatal(err)
	}
	id := first.Say(labtest.PN(bob), "hello")
	if !lab.Online(device(bob, 1)) || !second.IsConnected() {
		t.Fatal("the socket was closed")
	}
	lab.Recorded(oracle.Accepted, func(entry oracle.Entry) bool { return entry.ID == id })
	if len(lab.Entries(oracle.Delivered)) != 0 {
		t.Fatal("something was written")
	}
	second.ResetConnection()
	if _, text := second.Hear(); text != "hello" {
		t.Fatalf("%q", text)
	}
}

func TestMessagesAreRefusedAsOftenAsAsked(t *testing.T) {
	lab, first, second := two(t)
	if err := lab.SetFault(ada, fault.Fault{RefuseCode: 463, RefuseCount: 1}); err != nil {
		t.Fatal(err)
	}
	_, err := first.SendMessage(within(t), labtest.PN(bob), &waE2E.Message{Conversation: proto.String("one")})
	if !errors.Is(err, whatsmeow.ErrServerReturnedError) || !strings.Contains(err.Error(), "463") {
		t.Fatal(err)
	}
	first.Say(labtest.PN(bob), "two")
	if _, text := second.Hear(); text != "two" {
		t.Fatalf("%q", text)
	}
	if refused := lab.Entries(oracle.Refused); len(refused) != 1 || refused[0].Error != "463" {
		t.Fatalf("%+v", refused)
	}
}

func TestLostAcksAndUnreachability(t *testing.T) {
	lab, first, second := two(t)
	if err := lab.SetFault(ada, fault.Fault{AcksLost: true, Unreachable: true}); err != nil {
		t.Fatal(err)
	}
	_, err := first.SendMessage(within(t), labtest.PN(bob), &waE2E.Message{Conversation: proto.String("one")},
		whatsmeow.SendRequestExtra{Timeout: 300 * time.Millisecond})
	if !errors.Is(err, whatsmeow.ErrMessageTimedOut) {
		t.Fatal(err)
	}
	second.Hear()
	if dropped, err := lab.DropConnections(ada, nil); err != nil || dropped != 1 {
		t.Fatalf("%d %v", dropped, err)
	}
	labtest.Await[*events.Disconnected](first)
	labtest.Await[*events.Disconnected](first) // once more, after it tried to come back
	if lab.Online(device(ada, 1)) {
		t.Fatal("it was let in")
	}
	if err = lab.SetFault(ada, fault.Fault{}); err != nil {
		t.Fatal(err)
	}
	labtest.Await[*events.Connected](first)
}
