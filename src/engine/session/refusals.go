package session

import (
	"sync"

	"go.mau.fi/whatsmeow/types"
)

// maxRefusals is how often an item is refused before the item itself is taken for the trouble.
const maxRefusals = 5

// maxRefusedItems bounds the memory of refusals. A line ends at the first refused item, so there are few at a time.
const maxRefusedItems = 64

// itemKey names what arrived, across the connections on which it is told again.
type itemKey struct {
	chat, sender types.JID
	id, kind     string
}

// refusals counts how often the worker said no to an item.
type refusals struct {
	mu     sync.Mutex
	counts map[itemKey]int
}

// add counts one more, and says whether that is too often.
func (r *refusals) add(key itemKey) (tooOften bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.counts) >= maxRefusedItems || r.counts == nil {
		r.counts = make(map[itemKey]int)
	}
	r.counts[key]++
	return r.counts[key] >= maxRefusals
}

// has says whether the worker has said no to an item.
func (r *refusals) has(key itemKey) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[key] > 0
}

func (r *refusals) forget(key itemKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.counts, key)
}
