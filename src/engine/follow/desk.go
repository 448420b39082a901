// Package follow tells the worker what happens, and brings back what became of it.
package follow

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
)

// maxWaiting bounds what is kept while nobody follows, or who does is slow. What lines wait for is bounded by the lines.
const maxWaiting = 4096

// crowd is how many items that are not settled yet make a crowd. Each waits for those before it, of whatever line.
const crowd = 1024

// ErrReplaced ends a stream when another one begins.
var ErrReplaced = errors.New("another stream follows")

// ErrFinished ends a stream when everything was told.
var ErrFinished = errors.New("nothing more will be told")

// Settlement is what became of an item that was asked about.
type Settlement int

const (
	// Stored means that the worker has it.
	Stored Settlement = iota
	// Refused means that the worker said no to it.
	Refused
	// Unanswered means that nobody said anything about it: nobody follows, patience ran out, or the line is gone.
	Unanswered
)

// entry is an item on its way. One that nobody waits for has no settled channel.
type entry struct {
	item     *enginev1.Item
	run      *Run // nil for what belongs to none
	settled  chan Settlement
	isStored bool
}

// Desk holds the items between all lines and the one worker, in order.
type Desk struct {
	log *slog.Logger

	mu       sync.Mutex
	lastID   uint64
	waiting  []*entry          // not told yet, in order
	asked    map[uint64]*entry // not settled yet
	follower *follower
	present  chan struct{} // closed while somebody follows

	finished chan struct{}
	finish   func()
}

// NewDesk makes an empty desk.
func NewDesk(log *slog.Logger) *Desk {
	finished := make(chan struct{})
	return &Desk{
		log: log, asked: make(map[uint64]*entry), present: make(chan struct{}),
		finished: finished, finish: sync.OnceFunc(func() { close(finished) }),
	}
}

// Finish says that nothing more will be told: a stream ends once it has told what still waits (ErrFinished).
func (d *Desk) Finish() { d.finish() }

// Tell puts an item behind those before it. While nobody follows it waits; if too many wait, the oldest are dropped, and
// the log says so.
func (d *Desk) Tell(item *enginev1.Item) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.put(&entry{item: item})
	d.dropOldest()
}

// Ask tells an item whose settlement is waited for, and returns at once. An item of a run is told in its order or not at
// all; one that is told alone belongs to none.
func (d *Desk) Ask(item *enginev1.Item, run *Run) *Question {
	asked := &entry{item: item, run: run, settled: make(chan Settlement, 1)}
	if run != nil {
		item.Run = run.number
	}
	if !d.putAsked(asked) {
		asked.settled <- Unanswered
	}
	return &Question{d, asked}
}

// IsCrowded says whether so many items are not settled yet that whoever can should rather wait than ask ahead.
func (d *Desk) IsCrowded() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.asked) >= crowd
}

// Present returns once somebody follows, or ctx ends.
func (d *Desk) Present(ctx context.Context) error {
	d.mu.Lock()
	present := d.present
	d.mu.Unlock()
	select {
	case <-present:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Settle notes what the worker says about an item. An item that nobody waits for any more is no error.
func (d *Desk) Settle(id uint64, settlement Settlement) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if asked, ok := d.asked[id]; ok {
		delete(d.asked, id)
		asked.isStored = settlement == Stored
		asked.settled <- settlement
	}
}

func (d *Desk) putAsked(asked *entry) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.follower == nil || asked.run != nil && asked.run.isOver {
		return false
	}
	d.put(asked)
	d.asked[asked.item.ItemId] = asked
	return true
}

func (d *Desk) put(e *entry) {
	d.lastID++
	e.item.ItemId = d.lastID
	e.item.AckRequired = e.settled != nil
	d.waiting = append(d.waiting, e)
	if d.follower != nil {
		d.follower.wake()
	}
}

func (d *Desk) remove(gone *entry) (waited bool) {
	i := slices.Index(d.waiting, gone)
	if i >= 0 {
		d.waiting = slices.Delete(d.waiting, i, i+1)
	}
	return i >= 0
}

func (d *Desk) dropOldest() {
	if len(d.waiting) <= maxWaiting {
		return
	}
	for _, e := range d.waiting {
		if e.settled == nil {
			d.log.Warn("too much waits to be told: the oldest is dropped", "session_id", e.item.SessionId, "item_id", e.item.ItemId)
			d.remove(e)
			return
		}
	}
}
