package lease

import (
	"sync"
	"time"
)

// Lease is the time for which one session may still be acted for. It runs out once, and for good: a session whose lease
// ran out must be opened again.
type Lease struct {
	mu    sync.Mutex
	until time.Duration // on the clock of Now
	over  bool
	timer *time.Timer
	ended chan struct{}
}

// New starts a lease that lasts until the given reading of Now.
func New(until time.Duration) *Lease {
	l := &Lease{until: until, ended: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer = time.AfterFunc(until-Now(), l.check)
	return l
}

// Renew makes the lease last until the given reading of Now, which may be sooner than before. It says false, and does
// nothing, once the lease has run out.
func (l *Lease) Renew(until time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.holds() {
		return false
	}
	l.until = until
	l.timer.Reset(until - Now())
	return l.holds()
}

// Holds says whether the lease still lasts. Ask right before acting.
func (l *Lease) Holds() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.holds()
}

// End lets the lease run out now.
func (l *Lease) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = 0
	l.holds()
}

// Ended is closed when the lease has run out.
func (l *Lease) Ended() <-chan struct{} { return l.ended }

func (l *Lease) check() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holds() {
		l.timer.Reset(l.until - Now()) // Renewed since the timer was set, or the timer's clock runs ahead.
	}
}

// holds asks the clock, and lets the lease run out if its time is over.
func (l *Lease) holds() bool {
	if !l.over && Now() >= l.until {
		l.over = true
		l.timer.Stop()
		close(l.ended)
	}
	return !l.over
}
