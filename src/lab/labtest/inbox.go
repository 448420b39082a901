package labtest

import (
	"sync"
	"time"

	"go.mau.fi/whatsmeow/types/events"
)

// inbox keeps a client's events until a test asks for them.
type inbox struct {
	mu     sync.Mutex
	events []any
	bell   chan struct{}
}

func newInbox() *inbox { return &inbox{bell: make(chan struct{}, 1)} }

func (i *inbox) put(event any) {
	i.mu.Lock()
	i.events = append(i.events, event)
	i.mu.Unlock()
	select {
	case i.bell <- struct{}{}:
	default:
	}
}

func take[E any](i *inbox, matches func(E) bool) (found E, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for place, event := range i.events {
		if wanted, right := event.(E); right && matches(wanted) {
			i.events = append(i.events[:place:place], i.events[place+1:]...)
			return wanted, true
		}
	}
	return found, false
}

// Await waits for a client's next event of a type and takes it; other events
// stay for later.
func Await[E any](c *Client) E {
	c.t.Helper()
	return AwaitWhere(c, func(E) bool { return true })
}

// AwaitWhere is Await for an event that matches.
func AwaitWhere[E any](c *Client, matches func(E) bool) E {
	c.t.Helper()
	deadline := time.After(Patience)
	for {
		if event, ok := take(c.events, matches); ok {
			return event
		}
		select {
		case <-c.events.bell:
		case <-deadline:
			var wanted E
			c.t.Fatalf("no event of type %T came", wanted)
		}
	}
}

// refusals are messages that a client's handler shall not accept.
type refusals struct {
	mu   sync.Mutex
	left int
}

// RefuseNext makes the client's handler refuse the next messages.
func (c *Client) RefuseNext(count int) {
	c.refuse.mu.Lock()
	defer c.refuse.mu.Unlock()
	c.refuse.left = count
}

func (r *refusals) take(*events.Message) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left == 0 {
		return false
	}
	r.left--
	return true
}
