package server_test

import (
	"testing"
	"time"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"wagate.dev/src/lab/labtest"
	"wagate.dev/src/lab/oracle"
)

func two(t *testing.T) (lab *labtest.Lab, first, second *labtest.Client) {
	t.Helper()
	lab = labtest.Start(t)
	return lab, lab.Pair(lab.Account(ada, "Ada")), lab.Pair(lab.Account(bob, "Bob"))
}

func lidOf(t *testing.T, lab *labtest.Lab, phone string) types.JID {
	t.Helper()
	account, err := lab.Server.Account(phone)
	if err != nil {
		t.Fatal(err)
	}
	return account.LIDJID()
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

func TestAnOwnDeviceThatCannotDecryptGetsItTheSecondTime(t *testing.T) {
	lab, first, second := two(t)
	other := lab.Pair(ada)
	first.Say(labtest.PN(bob), "before")
	other.Hear()
	if err := other.Store.Sessions.DeleteAllSessions(within(t), first.Store.LID.SignalAddressUser()); err != nil {
		t.Fatal(err)
	}
	id := first.Say(labtest.PN(bob), "again")
	labtest.Await[*events.UndecryptableMessage](other)
	message, text := other.Hear()
	if text != "again" || message.Info.ID != id || !message.Info.IsFromMe || message.Info.Chat != lidOf(t, lab, bob) {
		t.Fatalf("%q as %+v", text, message.Info)
	}
	second.Hear()
}

func TestANoteToSelfReachesOwnDevicesOnly(t *testing.T) {
	lab, first, second := two(t)
	other := lab.Pair(ada)
	first.Say(labtest.PN(ada), "remember")
	if note, text := other.Hear(); text != "remember" || note.Info.Chat != lidOf(t, lab, ada) || !note.Info.IsFromMe {
		t.Fatalf("%q as %+v", text, note.Info)
	}
	first.Say(labtest.PN(bob), "first of all")
	if _, text := second.Hear(); text != "first of all" {
		t.Fatalf("Bob heard %q", text)
	}
}

func TestWhoIsBlockedIsNotHeard(t *testing.T) {
	_, first, second := two(t)
	block := func(action events.BlocklistChangeAction) {
		if _, err := second.UpdateBlocklist(within(t), labtest.PN(ada), action); err != nil {
			t.Fatal(err)
		}
	}
	block(events.BlocklistChangeActionBlock)
	first.Say(labtest.PN(bob), "unheard")
	block(events.BlocklistChangeActionUnblock)
	first.Say(labtest.PN(bob), "heard")
	if _, text := second.Hear(); text != "heard" {
		t.Fatalf("Bob heard %q", text)
	}
}

func TestWhatIsReadOnOneDeviceIsReadOnTheOthers(t *testing.T) {
	lab, first, second := two(t)
	other := lab.Pair(bob)
	id := first.Say(labtest.PN(bob), "hello")
	message, _ := second.Hear()
	if err := second.MarkRead(within(t), []types.MessageID{id}, time.Now(), message.Info.Chat, message.Info.Sender); err != nil {
		t.Fatal(err)
	}
	read := receiptOf(other, types.ReceiptTypeRead)
	if !read.IsFromMe || read.Chat != lidOf(t, lab, ada) || read.MessageIDs[0] != id {
		t.Fatalf("%+v", read)
	}
}
