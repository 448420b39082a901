package wire

import (
	"context"
	"sync"
	"time"
)

// lag holds what passes for a time, in order. Whoever passes tells since when it
// has been there, so that many wait side by side.
type lag struct {
	mu      sync.Mutex
	by      time.Duration
	changed chan struct{} // closed when by changes
}

func newLag() *lag { return &lag{changed: make(chan struct{})} }

// set changes how long everything takes, also what waits already.
func (l *lag) set(by time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by == by {
		return
	}
	l.by = by
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *lag) now() (by time.Duration, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.by, l.changed
}

// pass waits until what has been there since then may go on.
func (l *lag) pass(ctx context.Context, since time.Time) error {
	for {
		by, changed := l.now()
		left := time.Until(since.Add(by))
		if by == 0 || left <= 0 {
			return ctx.Err()
		}
		due := time.NewTimer(left)
		select {
		case <-due.C:
		case <-changed:
		case <-ctx.Done():
		}
		due.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}
