package server_test

import (
	"fmt"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"wagate.dev/src/lab/labtest"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/oracle"
)

func device(phone string, number uint16) model.Address {
	return model.Address{Phone: phone, Number: number}
}

func queued(t *testing.T, lab *labtest.Lab, phone string) int {
	t.Helper()
	devices, err := lab.ListDevices(phone)
	if err != nil || len(devices) == 0 {
		t.Fatalf("%v %v", devices, err)
	}
	return devices[0].Queued
}

func TestWhatArrivesMeanwhileWaitsInOrder(t *testing.T) {
	lab, first, second := two(t)
	first.Say(labtest.PN(bob), "before")
	second.Hear()
	labtest.Eventually(t, "it is confirmed", func() bool { return queued(t, lab, bob) == 0 })
	second.Disconnect()
	if err := lab.AwaitOffline(within(t), device(bob, 1)); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		first.Say(labtest.PN(bob), fmt.Sprint(i))
	}
	second.Reconnect()
	labtest.AwaitWhere(second, func(preview *events.OfflineSyncPreview) bool {
		return preview.Messages == 20 && preview.Total == preview.Messages+preview.Notifications
	})
	for i := range 20 {
		if _, text := second.Hear(); text != fmt.Sprint(i) {
			t.Fatalf("%q came where %d was due", text, i)
		}
	}
	labtest.Eventually(t, "the queue is empty", func() bool { return queued(t, lab, bob) == 0 })
	for _, entry := range lab.Entries(oracle.Delivered) {
		if entry.Account == bob && entry.Offline != (entry.Connection != lab.Entries(oracle.Delivered)[0].Connection) {
			t.Fatalf("%+v", entry)
		}
	}
}

func TestARefusedMessageStaysAndComesAgain(t *testing.T) {
	lab, first, second := two(t)
	second.RefuseNext(1)
	refused := first.Say(labtest.PN(bob), "not now")
	later := first.Say(labtest.PN(bob), "later")
	if message, _ := second.Hear(); message.Info.ID != later {
		t.Fatalf("%s was accepted", message.Info.ID)
	}
	lab.Recorded(oracle.Confirmed, func(entry oracle.Entry) bool { return entry.ID == later })
	labtest.Eventually(t, "one message stays queued, and nothing else", func() bool { return queued(t, lab, bob) == 1 })
	second.ResetConnection()
	if message, text := second.Hear(); message.Info.ID != refused || text != "not now" {
		t.Fatalf("then came %q", text)
	}
	lab.Recorded(oracle.Confirmed, func(entry oracle.Entry) bool { return entry.ID == refused })
}

func TestAReceiptForAnAbsentSenderWaits(t *testing.T) {
	lab, first, second := two(t)
	second.RefuseNext(0)
	id := first.Say(labtest.PN(bob), "hello")
	message, _ := second.Hear()
	first.Disconnect()
	if err := lab.AwaitOffline(within(t), device(ada, 1)); err != nil {
		t.Fatal(err)
	}
	if err := second.MarkRead(within(t), []types.MessageID{id}, time.Now(), message.Info.Chat, message.Info.Sender); err != nil {
		t.Fatal(err)
	}
	lab.Recorded(oracle.Receipt, func(entry oracle.Entry) bool { return entry.Type == "read" && entry.Account == ada })
	first.Reconnect()
	if read := receiptOf(first, types.ReceiptTypeRead); read.MessageIDs[0] != id {
		t.Fatalf("%v", read.MessageIDs)
	}
	labtest.Eventually(t, "the receipt was confirmed", func() bool { return queued(t, lab, ada) == 0 })
}
