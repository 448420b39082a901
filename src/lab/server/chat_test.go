package server_test

import (
	"fmt"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"wagate.dev/src/lab/fault"
	"wagate.dev/src/lab/labtest"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/oracle"
)

func two(t *testing.T) (lab *labtest.Lab, first, second *labtest.Client) {
	t.Helper()
	lab = labtest.Start(t)
	return lab, lab.Pair(lab.Account(ada, "Ada")), lab.Pair(lab.Account(bob, "Bob"))
}

func receiptOf(client *labtest.Client, kind types.ReceiptType) *events.Receipt {
	return labtest.AwaitWhere(client, func(receipt *events.Receipt) bool { return receipt.Type == kind })
}

func TestTwoChatAndTellEachOtherOfDeliveryAndReading(t *testing.T) {
	lab, first, second := two(t)
	second.SetForceActiveDeliveryReceipts(true)

	id := first.Say(labtest.PN(bob), "hello")
	message, text := second.Hear()
	if text != "hello" || message.Info.ID != id || message.Info.PushName != "Ada" || message.Info.SenderAlt.User != ada {
		t.Fatalf("Bob heard %q as %+v", text, message.Info)
	}
	if delivered := receiptOf(first, types.ReceiptTypeDelivered); delivered.MessageIDs[0] != id {
		t.Fatalf("%v was delivered, not %s", delivered.MessageIDs, id)
	}
	chat := message.Info.Chat
	if err := second.MarkRead(within(t), []types.MessageID{id, "ANOTHER"}, time.Now(), chat, message.Info.Sender); err != nil {
		t.Fatal(err)
	}
	if read := receiptOf(first, types.ReceiptTypeRead); len(read.MessageIDs) != 2 || read.MessageIDs[1] != "ANOTHER" {
		t.Fatalf("%v were read", read.MessageIDs)
	}
	second.Say(chat, "and hello to you")
	if _, text = first.Hear(); text != "and hello to you" {
		t.Fatalf("Ada heard %q", text)
	}
	if unanswered := lab.Unanswered(); len(unanswered) > 0 {
		t.Fatalf("not answered: %v", unanswered)
	}
}

func TestTheOracleKnowsWhatHappenedToAMessage(t *testing.T) {
	lab, first, second := two(t)
	id := first.Say(labtest.PN(bob), "hello")
	accepted := lab.Recorded(oracle.Accepted, func(entry oracle.Entry) bool { return entry.ID == id })
	if accepted.Account != ada || accepted.Device != 1 || accepted.Peer != bob || accepted.OwnDevice {
		t.Fatalf("%+v", accepted)
	}
	second.Hear()
	confirmed := lab.Recorded(oracle.Confirmed, func(entry oracle.Entry) bool { return entry.ID == id })
	delivered := lab.Recorded(oracle.Delivered, func(entry oracle.Entry) bool { return entry.ID == id })
	if delivered.Account != bob || delivered.Peer != ada || delivered.Sequence <= accepted.Sequence {
		t.Fatalf("%+v after %+v", delivered, accepted)
	}
	if confirmed.Sequence <= delivered.Sequence || confirmed.Connection != delivered.Connection {
		t.Fatalf("%+v after %+v", confirmed, delivered)
	}
}

func TestASecondDeviceOfAnAccountHearsBothSides(t *testing.T) {
	lab, first, second := two(t)
	first.Say(labtest.PN(bob), "before")
	second.Hear()
	other := lab.Pair(ada)

	first.Say(labtest.PN(bob), "mine")
	own, text := other.Hear()
	if text != "mine" || !own.Info.IsFromMe || own.Info.Chat.ToNonAD() != lidOf(t, lab, bob) {
		t.Fatalf("the other device heard %q as %+v", text, own.Info)
	}
	second.Hear()
	second.Say(labtest.PN(ada), "yours")
	for _, device := range []*labtest.Client{first, other} {
		if message, text := device.Hear(); text != "yours" || message.Info.IsFromMe {
			t.Fatalf("%q as %+v", text, message.Info)
		}
	}
	if lab.Dropped(bob) == 0 || lab.Dropped(ada) == 0 {
		t.Fatal("nothing was addressed to the phones")
	}
}

func lidOf(t *testing.T, lab *labtest.Lab, phone string) types.JID {
	t.Helper()
	account, err := lab.Server.Account(phone)
	if err != nil {
		t.Fatal(err)
	}
	return account.LIDJID()
}

func TestWhoCannotDecryptAsksAgainAndGetsIt(t *testing.T) {
	_, first, second := two(t)
	first.Say(labtest.PN(bob), "one")
	second.Hear()
	second.Say(labtest.PN(ada), "two")
	first.Hear()
	if err := second.Store.Sessions.DeleteAllSessions(within(t), first.Store.LID.SignalAddressUser()); err != nil {
		t.Fatal(err)
	}
	id := first.Say(labtest.PN(bob), "three")
	if lost := labtest.Await[*events.UndecryptableMessage](second); lost.Info.ID != id {
		t.Fatalf("%s could not be decrypted", lost.Info.ID)
	}
	if message, text := second.Hear(); text != "three" || message.Info.ID != id {
		t.Fatalf("then came %q as %s", text, message.Info.ID)
	}
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
		return preview.Messages == 20 && preview.Total == 20
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

func TestARefusedMessageStaysAndComesAgain(t *testing.T) {
	lab, first, second := two(t)
	second.RefuseNext(1)
	refused := first.Say(labtest.PN(bob), "not now")
	later := first.Say(labtest.PN(bob), "later")
	if message, _ := second.Hear(); message.Info.ID != later {
		t.Fatalf("%s was accepted", message.Info.ID)
	}
	lab.Recorded(oracle.Confirmed, func(entry oracle.Entry) bool { return entry.ID == later })
	if count := queued(t, lab, bob); count != 1 {
		t.Fatalf("%d are queued", count)
	}
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

func TestASenderIsNamedAsItsAccountWants(t *testing.T) {
	for naming, wanted := range map[model.Naming]struct{ server, other string }{
		model.LIDWithPhone: {types.HiddenUserServer, types.DefaultUserServer},
		model.LIDOnly:      {types.HiddenUserServer, ""},
		model.PhoneWithLID: {types.DefaultUserServer, types.HiddenUserServer},
		model.PhoneOnly:    {types.DefaultUserServer, ""},
	} {
		t.Run(string(naming), func(t *testing.T) {
			lab := labtest.Start(t)
			if _, err := lab.CreateAccount(ada, "", "Ada", naming); err != nil {
				t.Fatal(err)
			}
			first, second := lab.Pair(ada), lab.Pair(lab.Account(bob, "Bob"))
			first.Say(labtest.PN(bob), "hello")
			info := labtest.Await[*events.Message](second).Info
			if info.Sender.Server != wanted.server || info.SenderAlt.Server != wanted.other {
				t.Fatalf("named %v beside %q", info.Sender, info.SenderAlt)
			}
			second.Say(info.Sender.ToNonAD(), "and to you")
			if _, text := first.Hear(); text != "and to you" {
				t.Fatalf("Ada heard %q", text)
			}
		})
	}
}

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
