package wire

import (
	"context"
	"sync"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
)

// parcel is a node on its way out, since when it is, and what to do each time it
// is on the socket.
type parcel struct {
	node  waBinary.Node
	sent  func()
	since time.Time
}

// outbox keeps what is to be written, in order, so that nobody who sends ever
// waits for a slow reader.
type outbox struct {
	mu      sync.Mutex
	waiting []parcel
	bell    chan struct{}
}

func newOutbox() *outbox { return &outbox{bell: make(chan struct{}, 1)} }

func (o *outbox) put(item parcel) {
	o.mu.Lock()
	o.waiting = append(o.waiting, item)
	o.mu.Unlock()
	select {
	case o.bell <- struct{}{}:
	default:
	}
}

func (o *outbox) next(ctx context.Context) (parcel, error) {
	for {
		if item, ok := o.pop(); ok {
			return item, nil
		}
		select {
		case <-o.bell:
		case <-ctx.Done():
			return parcel{}, ctx.Err()
		}
	}
}

func (o *outbox) pop() (parcel, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 {
		return parcel{}, false
	}
	item := o.waiting[0]
	o.waiting = o.waiting[1:]
	return item, true
}
