package main

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// ledger is what a worker stored: each message once, in the order of its first storing.
type ledger struct {
	mu     sync.Mutex
	stored []string
}

// store notes a message, and says whether it took it: now and then it does not.
func (l *ledger) store(item *enginev1.Item) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if item.GetMessageUndecryptable() != nil {
		l.stored = append(l.stored, "what cannot be read")
	}
	words := text(item)
	if words == "" {
		return true
	}
	if rand.IntN(10) == 0 {
		return false
	}
	if !slices.Contains(l.stored, words) {
		l.stored = append(l.stored, words)
	}
	return true
}

func (l *ledger) holds(count int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.stored) >= count
}

func (l *ledger) check(t *testing.T, count int) {
	t.Helper()
	for i := range count {
		if l.stored[i] != strconv.Itoa(i) {
			t.Fatalf("message %d is %s; stored were %v", i, l.stored[i], l.stored)
		}
	}
}

// sayAll says numbered messages, one after the other.
func (p *person) sayAll(t *testing.T, to string, count int) {
	t.Helper()
	for i := range count {
		p.say(t, to, strconv.Itoa(i))
	}
}

// chats are where Anna can write to us: alone, or in a group, where a message is encrypted once for all and is never sent
// again to one who has confirmed it.
var chats = map[string]func(t *testing.T, anna *person, ours string) string{
	"to us":                       func(_ *testing.T, _ *person, ours string) string { return ours },
	"to a group":                  func(t *testing.T, anna *person, ours string) string { return anna.group(t, ours, true) },
	"to a group, each with a key": func(t *testing.T, anna *person, ours string) string { return anna.group(t, ours, false) },
}

// group makes a group with one other, and gives its JID.
func (p *person) group(t *testing.T, other string, keysOnce bool) string {
	t.Helper()
	made, err := p.lab.CreateGroup(within(t), &labv1.CreateGroupRequest{Creator: p.phone, Members: []string{other}, KeysOnce: keysOnce})
	must(t, err)
	return made.GetGroup().GetJid()
}

func TestNothingIsLostOrDisorderedWhileLinesBreak(t *testing.T) {
	for name, chat := range chats {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			breakLines(t, chat)
		})
	}
}

func breakLines(t *testing.T, chat func(*testing.T, *person, string) string) {
	const count = 100
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	to := chat(t, anna, ours)
	var kept ledger
	w.judging(kept.store)
	go w.discard()
	said := make(chan struct{})
	go func() {
		defer close(said)
		anna.sayAll(t, to, count)
	}()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for talking := true; talking; {
		select {
		case <-tick.C:
			w.drop(ours)
		case <-said:
			talking = false
		}
	}
	eventually(t, "all messages are stored", func() bool { return kept.holds(count) })
	kept.check(t, count)
}

func TestNothingIsLostOrDisorderedWhenTheEngineIsKilled(t *testing.T) {
	for name, chat := range chats {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killEngines(t, chat)
		})
	}
}

// killEngines lets each engine live a little longer than the one before, so that also a busy machine gets to the end.
func killEngines(t *testing.T, chat func(*testing.T, *person, string) string) {
	const count = 60
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	to := chat(t, anna, ours)
	store := w.opening(1, 0).GetStorePath()
	var kept ledger
	go anna.sayAll(t, to, count)
	for fence := int64(2); !kept.holds(count); fence++ {
		w.judging(kept.store)
		go w.discard()
		select {
		case <-time.After(time.Duration(fence) * 100 * time.Millisecond):
		case <-w.exited:
			t.Fatal("the engine left by itself")
		}
		if kept.holds(count) {
			break
		}
		if fence > 60 {
			t.Fatalf("after many engines only %d messages are stored", len(kept.stored))
		}
		w.process.Process.Kill()
		w.exited <- <-w.exited
		w = startWorker(t)
		opening := w.opening(fence, time.Hour)
		opening.StorePath = store
		_, err := w.OpenSession(within(t), opening)
		must(t, err)
	}
	kept.check(t, count)
}

// discard reads what is told to its end.
func (w *worker) discard() {
	for range w.items {
	}
}
