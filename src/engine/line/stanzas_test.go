package line

import (
	"reflect"
	"testing"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
)

func TestEverySortOfStanzaThatWhatsmeowQueuesIsHandled(t *testing.T) {
	line := newLine(t, newLab(t))
	queued := reflect.ValueOf(line.client).Elem().FieldByName("nodeHandlers").MapKeys()
	if len(queued) != len(reactions) {
		t.Errorf("whatsmeow queues %d sorts, and %d are handled", len(queued), len(reactions))
	}
	for _, tag := range queued {
		if reactions[tag.String()] == nil {
			t.Errorf("<%s> is not handled", tag)
		}
	}
}

func TestNothingMoreIsReadWhileTooMuchWaits(t *testing.T) {
	waiting := newStanzas()
	queue := make(chan *waBinary.Node)
	gone := make(chan struct{})
	defer close(gone)
	go waiting.gather(queue, gone)
	for range mostWaiting + 1 {
		if !waiting.mayRead() {
			t.Fatal("reading stopped although little waits")
		}
		queue <- &waBinary.Node{Tag: "message"}
	}
	queue <- &waBinary.Node{Tag: "message"} // By now the one before was taken over.
	waiting.begin()
	if waiting.mayRead() || !waiting.heldWithin(time.Minute) {
		t.Fatal("reading goes on although much waits")
	}
	over := waiting.waitForStore()
	waiting.since = waiting.since.Add(-2 * shortWork)
	if waiting.mayRead() {
		t.Fatal("reading goes on while the worker is slow")
	}
	over()
	if !waiting.mayRead() {
		t.Fatal("reading stopped although what is at work may wait for what is to be read")
	}
}
