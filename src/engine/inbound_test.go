package main

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

func text(item *enginev1.Item) string {
	return item.GetMessageArrived().GetContent().GetText().GetText()
}

func TestWhatIsRefusedIsToldAgainInOrder(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	var refused atomic.Int32
	stored := make(chan string, 20)
	w.judging(func(item *enginev1.Item) bool {
		if text(item) == "3" && refused.Add(1) <= 2 {
			return false
		}
		if text(item) != "" {
			stored <- text(item)
		}
		return true
	})
	for i := range 6 {
		anna.say(t, ours, fmt.Sprint(i+1))
	}
	var order []string
	eventually(t, "the last one is stored", func() bool {
		select {
		case words := <-stored:
			order = append(order, words)
		default:
		}
		return len(order) > 0 && order[len(order)-1] == "6"
	})
	if once := fmt.Sprint(slices.Compact(order)); once != "[1 2 3 4 5 6]" {
		t.Fatalf("stored were %v", order)
	}
}

func TestTheReceiptLeavesOnlyAfterTheMessageIsStored(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	held := make(chan struct{})
	w.judging(func(item *enginev1.Item) bool {
		if text(item) == "hi" {
			<-held
		}
		return true
	})
	id := anna.say(t, ours, "hi")
	confirmed := func() bool {
		return w.lab.recorded(t, func(entry *labv1.OracleEntry) bool {
			return entry.GetKind() == labv1.OracleEntry_KIND_CONFIRMED && entry.GetAccount() == ours && entry.GetProviderMessageId() == id
		})
	}
	w.lab.records(t, func(entry *labv1.OracleEntry) bool {
		return entry.GetKind() == labv1.OracleEntry_KIND_DELIVERED && entry.GetAccount() == ours && entry.GetProviderMessageId() == id
	})
	for deadline := time.Now().Add(300 * time.Millisecond); time.Now().Before(deadline); {
		if confirmed() {
			t.Fatal("WhatsApp was told before the message was stored")
		}
	}
	close(held)
	eventually(t, "WhatsApp is told", confirmed)
}

func TestAMessageRefusedFiveTimesIsToldByItsBytes(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	var refused atomic.Int32
	w.judging(func(item *enginev1.Item) bool {
		if text(item) == "poison" {
			refused.Add(1)
			return false
		}
		return true
	})
	anna.say(t, ours, "poison")
	anna.say(t, ours, "after")
	told := next(w, "the bytes", func(item *enginev1.Item) (*enginev1.MessageArrived, bool) {
		return item.GetMessageArrived(), item.GetMessageArrived().GetContent().GetUnsupported() != nil
	})
	if times := refused.Load(); times != 5 {
		t.Errorf("it was refused %d times", times)
	}
	var message waE2E.Message
	must(t, proto.Unmarshal(told.GetContent().GetUnsupported().GetRaw(), &message))
	if message.GetConversation()+message.GetExtendedTextMessage().GetText() != "poison" {
		t.Errorf("the bytes say %v", &message)
	}
	if after := w.message(); after.GetContent().GetText().GetText() != "after" {
		t.Errorf("then came %v", after)
	}
}

func TestAReceiptRefusedAgainAndAgainIsLeftForLaterAndKeepsNothingOut(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	refusing := atomic.Bool{}
	refusing.Store(true)
	w.judging(func(item *enginev1.Item) bool { return item.GetReceiptArrived() == nil || !refusing.Load() })
	w.send("3EB0H1", anna.lid, "hello")
	anna.hears(t)
	anna.say(t, ours, "hi")
	if told := w.message(); told.GetContent().GetText().GetText() != "hi" {
		t.Fatalf("told was %v", told)
	}
	refusing.Store(false)
	w.drop(ours)
	w.receipt(enginev1.ReceiptArrived_KIND_DELIVERED)
}

func TestALineWithoutAWorkerRefusesAndComesBack(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	w.leave()
	for range w.items {
	}
	id := anna.say(t, ours, "hi")
	w.lab.records(t, func(entry *labv1.OracleEntry) bool {
		return entry.GetKind() == labv1.OracleEntry_KIND_DELIVERED && entry.GetAccount() == ours && entry.GetProviderMessageId() == id
	})
	w.follow()
	if told := w.message(); told.GetContent().GetText().GetText() != "hi" {
		t.Fatalf("told was %v", told)
	}
}

func TestASilentWorkerIsWaitedForAndThenTheLineRefuses(t *testing.T) {
	w := startWorker(t, "--settlement", "100ms")
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	held := make(chan struct{})
	w.judging(func(item *enginev1.Item) bool {
		if text(item) == "hi" {
			<-held
		}
		return true
	})
	anna.say(t, ours, "hi")
	w.lab.records(t, func(entry *labv1.OracleEntry) bool {
		return entry.GetKind() == labv1.OracleEntry_KIND_LOGOUT && entry.GetAccount() == ours && entry.GetConnection() > 0
	})
	close(held)
	if told := w.message(); told.GetContent().GetText().GetText() != "hi" {
		t.Fatalf("told was %v", told)
	}
	w.state(enginev1.LineChanged_STATE_RECONNECTING)
	w.state(enginev1.LineChanged_STATE_CONNECTED)
	anna.say(t, ours, "again")
	eventually(t, "the next message is told", func() bool { return w.message().GetContent().GetText().GetText() == "again" })
}

func TestWhatWaitedIsToldAsOffline(t *testing.T) {
	w := startWorker(t)
	ours := w.lab.account(t).GetPhoneNumber()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	sync := func(phase enginev1.OfflineSync_Phase) *enginev1.OfflineSync {
		return next(w, phase.String(), func(item *enginev1.Item) (*enginev1.OfflineSync, bool) {
			return item.GetOfflineSync(), item.GetOfflineSync().GetPhase() == phase && item.GetOfflineSync() != nil
		})
	}
	w.open()
	w.startPairing("p_1", "")
	w.scan(ours, w.step().GetCode().GetText())
	if done := sync(enginev1.OfflineSync_PHASE_COMPLETED); done.GetItemCount() != 0 {
		t.Errorf("nothing waited, and was told as %v", done)
	}
	_, err := w.CloseSession(within(t), &enginev1.CloseSessionRequest{SessionId: shop, Fence: 1})
	must(t, err)
	anna.say(t, ours, "while you were away")
	w.open()
	sync(enginev1.OfflineSync_PHASE_STARTED)
	if told := w.message(); !told.GetPlace().GetOffline() {
		t.Errorf("told was %v", told)
	}
	sync(enginev1.OfflineSync_PHASE_COMPLETED)
	anna.say(t, ours, "now")
	if told := w.message(); told.GetPlace().GetOffline() {
		t.Errorf("told was %v", told)
	}
}

func TestAPictureIsToldByItsKindAndBytes(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	picture, err := proto.Marshal(&waE2E.Message{ImageMessage: &waE2E.ImageMessage{Caption: proto.String("look"), Mimetype: proto.String("image/png")}})
	must(t, err)
	_, err = w.lab.Say(within(t), &labv1.SayRequest{PersonId: anna.id, To: ours, What: &labv1.SayRequest_RawMessage{RawMessage: picture}})
	must(t, err)
	if told := w.message().GetContent().GetUnsupported(); told.GetProviderKind() != "imageMessage" || len(told.GetRaw()) == 0 {
		t.Fatalf("told was %v", told)
	}
}

func TestAPhoneThatCannotReadAMessageAsksAgainAndGetsItFromAnotherLine(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	w.send("3EB0F1", anna.lid, "hello")
	anna.hears(t)
	_, err := w.lab.ForgetKeys(within(t), &labv1.ForgetKeysRequest{PersonId: anna.id, Peer: ours})
	must(t, err)
	anna.goes(t, false)
	w.send("3EB0F2", anna.lid, "once more")
	w.drop(ours)
	w.state(enginev1.LineChanged_STATE_RECONNECTING)
	w.state(enginev1.LineChanged_STATE_CONNECTED)
	anna.goes(t, true)
	if heard := anna.hears(t); heard.GetText() != "once more" || heard.GetRetryCount() == 0 {
		t.Fatalf("Anna heard %v", heard)
	}
}
