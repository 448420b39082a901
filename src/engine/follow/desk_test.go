package follow

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
)

const patience = 5 * time.Second

// stream is a worker that follows.
type stream struct {
	items  chan *enginev1.Item
	ended  chan error
	cancel context.CancelFunc
}

func followDesk(t *testing.T, desk *Desk) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &stream{items: make(chan *enginev1.Item, 100), ended: make(chan error, 1), cancel: cancel}
	begun := make(chan struct{})
	go func() {
		s.ended <- desk.Follow(ctx, s.take, func() { close(begun) })
	}()
	<-begun
	t.Cleanup(cancel)
	return s
}

func (s *stream) take(items []*enginev1.Item) error {
	for _, item := range items {
		s.items <- item
	}
	return nil
}

func (s *stream) next(t *testing.T) *enginev1.Item {
	t.Helper()
	select {
	case item := <-s.items:
		return item
	case <-time.After(patience):
		t.Fatal("nothing was told")
		return nil
	}
}

func newDesk() *Desk { return NewDesk(slog.New(slog.DiscardHandler)) }

func item(session string) *enginev1.Item { return &enginev1.Item{SessionId: session} }

func ask(desk *Desk, session string, gone <-chan struct{}) <-chan Settlement {
	settlement := make(chan Settlement, 1)
	go func() { settlement <- desk.Ask(item(session), nil).Settlement(patience, gone) }()
	return settlement
}

func expect(t *testing.T, settlement <-chan Settlement, wanted Settlement) {
	t.Helper()
	select {
	case found := <-settlement:
		if found != wanted {
			t.Fatalf("it was settled as %d, not %d", found, wanted)
		}
	case <-time.After(patience):
		t.Fatal("it was never settled")
	}
}

func TestItemsAreToldInOrderWithGrowingIDs(t *testing.T) {
	desk := newDesk()
	desk.Tell(item("before"))
	worker := followDesk(t, desk)
	desk.Tell(item("after"))
	for i, session := range []string{"before", "after"} {
		if told := worker.next(t); told.SessionId != session || told.ItemId != uint64(i+1) || told.AckRequired {
			t.Fatalf("told %v", told)
		}
	}
}

func TestAnAskedItemIsSettledAsTheWorkerSays(t *testing.T) {
	desk := newDesk()
	worker := followDesk(t, desk)
	for _, wanted := range []Settlement{Stored, Refused} {
		settlement := ask(desk, "shop", nil)
		told := worker.next(t)
		if !told.AckRequired {
			t.Fatal("what is waited for does not say so")
		}
		desk.Settle(told.ItemId, wanted)
		expect(t, settlement, wanted)
	}
}

func TestAnAskedItemIsUnansweredWhileNobodyFollows(t *testing.T) {
	expect(t, ask(newDesk(), "shop", nil), Unanswered)
}

func TestAnAskedItemIsUnansweredWhenPatienceRunsOut(t *testing.T) {
	desk := newDesk()
	worker := followDesk(t, desk)
	if settlement := desk.Ask(item("shop"), nil).Settlement(10*time.Millisecond, nil); settlement != Unanswered {
		t.Fatalf("it was settled as %d", settlement)
	}
	desk.Settle(worker.next(t).ItemId, Stored) // Too late, and harmless.
}

func TestAnAskedItemIsUnansweredWhenItsLineIsGone(t *testing.T) {
	desk := newDesk()
	worker := followDesk(t, desk)
	gone := make(chan struct{})
	settlement := ask(desk, "shop", gone)
	worker.next(t)
	close(gone)
	expect(t, settlement, Unanswered)
}

func TestNothingOfARunIsToldOnceSomethingBeforeItWasTakenBackUntold(t *testing.T) {
	desk, gone := newDesk(), make(chan struct{})
	close(gone)
	var run *Run
	run = run.Next()
	desk.attach() // somebody follows, and is not told yet
	first, second := desk.Ask(item("shop"), run), desk.Ask(item("shop"), run)
	if settlement := first.Settlement(patience, gone); settlement != Unanswered {
		t.Fatalf("the first was settled as %d", settlement)
	}
	third, after := desk.Ask(item("shop"), run), desk.Ask(item("shop"), run.Next())
	for _, behind := range []*Question{second, third} {
		if settlement := behind.Settlement(patience, nil); settlement != Unanswered {
			t.Fatalf("one behind it was settled as %d", settlement)
		}
	}
	if len(desk.waiting) != 1 || desk.waiting[0] != after.asked {
		t.Fatalf("%d items wait to be told, not the next run's alone", len(desk.waiting))
	}
}

func TestAnAskedItemIsUnansweredWhenTheWorkerLeaves(t *testing.T) {
	desk := newDesk()
	worker := followDesk(t, desk)
	settlement := ask(desk, "shop", nil)
	worker.next(t)
	worker.cancel()
	expect(t, settlement, Unanswered)
	<-worker.ended
	if err := desk.Present(canceled()); err == nil {
		t.Fatal("a worker that left still follows")
	}
}

func TestANewStreamEndsTheOneBefore(t *testing.T) {
	desk := newDesk()
	first := followDesk(t, desk)
	settlement := ask(desk, "shop", nil)
	first.next(t)
	second := followDesk(t, desk)
	if err := <-first.ended; !errors.Is(err, ErrReplaced) {
		t.Fatalf("the first stream ended with %v", err)
	}
	expect(t, settlement, Unanswered)
	desk.Tell(item("shop"))
	second.next(t)
	if err := desk.Present(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestNobodySlowMakesTheDeskGrowWithoutBound(t *testing.T) {
	desk := newDesk()
	for range maxWaiting + 10 {
		desk.Tell(item("shop"))
	}
	if len(desk.waiting) != maxWaiting {
		t.Fatalf("%d items wait", len(desk.waiting))
	}
	if first := desk.waiting[0].item.ItemId; first != 11 {
		t.Fatalf("the oldest item left is %d", first)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestWhatStillWaitsIsToldBeforeAFinishedStreamEnds(t *testing.T) {
	desk := newDesk()
	for range 50 {
		desk.Tell(item("shop"))
	}
	desk.Finish()
	worker := followDesk(t, desk)
	if err := <-worker.ended; !errors.Is(err, ErrFinished) {
		t.Fatalf("the stream ended with %v", err)
	}
	if told := len(worker.items); told != 50 {
		t.Fatalf("only %d items were told", told)
	}
}
