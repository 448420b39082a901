package main

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

func (w *worker) toldTexts(count int) (texts []string) {
	w.t.Helper()
	for range count {
		texts = append(texts, w.message().GetContent().GetText().GetText())
	}
	return texts
}

func (l *lab) confirmed(t *testing.T, account string) (ids []string) {
	t.Helper()
	l.recorded(t, func(entry *labv1.OracleEntry) bool {
		if entry.GetKind() == labv1.OracleEntry_KIND_CONFIRMED && entry.GetAccount() == account {
			ids = append(ids, entry.GetProviderMessageId())
		}
		return false
	})
	return ids
}

func TestMessagesAreToldAheadAndConfirmedInOrderOnceTheyAreStored(t *testing.T) {
	const ahead, count = 32, 50
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	anna.say(t, ours, "hi")
	w.message()
	eventually(t, "the first is confirmed", func() bool { return len(w.lab.confirmed(t, ours)) == 1 })
	release := w.holding()
	var said []string
	for i := range count {
		said = append(said, anna.say(t, ours, strconv.Itoa(i)))
	}
	told := w.toldTexts(ahead + 1) // One more is told, and the line waits for it.
	select {
	case item := <-w.items:
		t.Fatalf("%v is told as well", item)
	case <-time.After(100 * time.Millisecond):
	}
	if confirmed := w.lab.confirmed(t, ours); len(confirmed) > 1 {
		t.Fatalf("%d were confirmed before they were stored", len(confirmed)-1)
	}
	release()
	for i, words := range append(told, w.toldTexts(count-ahead-1)...) {
		if words != strconv.Itoa(i) {
			t.Fatalf("message %d is %s", i, words)
		}
	}
	eventually(t, "all are confirmed", func() bool { return len(w.lab.confirmed(t, ours)) == count+1 })
	if order := fmt.Sprint(w.lab.confirmed(t, ours)[1:]); order != fmt.Sprint(said) {
		t.Fatalf("they were confirmed as %s", order)
	}
}

// More wait than whatsmeow's queue holds, which then forgets their order.
func TestThousandsThatWaitAreToldInOrder(t *testing.T) {
	const count = 2200
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	anna.say(t, ours, "hi")
	w.message()
	eventually(t, "the first is confirmed", func() bool { return len(w.lab.confirmed(t, ours)) == 1 })
	_, err := w.CloseSession(within(t), &enginev1.CloseSessionRequest{SessionId: shop, Fence: 1})
	must(t, err)
	anna.sayAll(t, ours, count)
	release := w.holding()
	w.open()
	told := w.toldTexts(1)
	time.AfterFunc(time.Second, release) // Meanwhile all that waits comes in, or is held back.
	for i, words := range append(told, w.toldTexts(count-1)...) {
		if words != strconv.Itoa(i) {
			t.Fatalf("message %d is %s", i, words)
		}
	}
}

func TestWhatWasStoredBeforeARefusalIsConfirmed(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	var refused atomic.Bool
	w.judging(func(item *enginev1.Item) bool { return text(item) != "1" || refused.Swap(true) })
	release := w.holding()
	anna.sayAll(t, ours, 3)
	if told := fmt.Sprint(w.toldTexts(3)); told != "[0 1 2]" {
		t.Fatalf("first told were %s", told)
	}
	release()
	if told := fmt.Sprint(w.toldTexts(2)); told != "[1 2]" {
		t.Fatalf("told again were %s", told)
	}
}
