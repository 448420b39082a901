package server

import (
	"sync"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/model"
)

// Stanza is a stanza that crossed the wire, as the ring remembers it.
type Stanza struct {
	Number   uint64 // counts from 1
	Time     time.Time
	Incoming bool          // from the client
	Device   model.Address // empty before login
	Node     waBinary.Node
}

// ring keeps the latest stanzas.
type ring struct {
	mu    sync.Mutex
	kept  []Stanza
	count uint64
}

func newRing(size int) *ring { return &ring{kept: make([]Stanza, 0, size)} }

func (r *ring) add(stanza Stanza) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	stanza.Number = r.count
	if len(r.kept) < cap(r.kept) {
		r.kept = append(r.kept, stanza)
		return
	}
	r.kept[int(r.count-1)%len(r.kept)] = stanza
}

// after lists the stanzas that are kept and younger than number, in order.
func (r *ring) after(number uint64) []Stanza {
	r.mu.Lock()
	defer r.mu.Unlock()
	var younger []Stanza
	for i := range r.kept {
		stanza := r.kept[(int(r.count)+i)%len(r.kept)]
		if stanza.Number > number {
			younger = append(younger, stanza)
		}
	}
	return younger
}
