package session

import (
	"sync"

	"go.mau.fi/whatsmeow/types"
)

// maxRefusals is how often an item may be refused before it is told in its plainest form.
const maxRefusals = 5

// maxRefusedItems bounds the memory of refusals. A session stops at the first refused item, so it has one at a time.
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

func (r *refusals) add(key itemKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.counts) >= maxRefusedItems || r.counts == nil {
		r.counts = make(map[itemKey]int)
	}
	r.counts[key]++
}

func (r *refusals) forget(key itemKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.counts, key)
}

func (r *refusals) exhausted(key itemKey) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[key] >= maxRefusals
}
