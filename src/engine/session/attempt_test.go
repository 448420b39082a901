package session

import (
	"testing"
	"time"

	"go.mau.fi/whatsmeow/types/events"
)

func TestALinkedDeviceThatIsNotSentOffLogsInRegardless(t *testing.T) {
	a := &attempt{}
	codes := codes{attempt: a}
	defer codes.stop()
	var made progress
	if failed := a.proceed(&events.PairSuccess{}, &codes, &made); failed != nil || made.isOver() {
		t.Fatalf("it is over (%v) before WhatsApp sent it off", failed)
	}
	if left := time.Until(codes.expires); left <= 0 || left > handover {
		t.Errorf("that is waited for %s", left)
	}
	if failed := codes.afterWaiting(&made); failed != nil || !made.isOver() {
		t.Errorf("after that it does not log in: %v", failed)
	}
}

func TestALinkedDeviceThatIsSentOffLogsInAtOnce(t *testing.T) {
	a := &attempt{}
	codes := codes{attempt: a}
	defer codes.stop()
	made := progress{}
	for _, event := range []any{&events.PairSuccess{}, &events.ManualLoginReconnect{}} {
		if failed := a.proceed(event, &codes, &made); failed != nil {
			t.Fatal(failed)
		}
	}
	if !made.isOver() {
		t.Error("it waits for more")
	}
}

func TestAnAnswerDoesNotWaitForAnAttemptThatHasEnded(t *testing.T) {
	a := &attempt{id: "p_1", challenge: challengeCodes, answers: make(chan func(*attempt) error), done: make(chan struct{})}
	s := &Session{attempt: a}
	close(a.done)
	if err := s.AnswerCodes("p_1", true); err == nil {
		t.Error("it was taken")
	}
}
