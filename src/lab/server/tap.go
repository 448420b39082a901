package server

import (
	"sync"
	"sync/atomic"

	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/model"
)

// tap remembers every stanza of a connection in the ring, and asks the faults of
// the device how often one leaves. Before login there is no device and all pass.
type tap struct {
	server *Server
	device atomic.Pointer[model.Address]
	send   func(waBinary.Node)

	mu   sync.Mutex
	late map[any]int // ids of acks that were kept long enough
}

func newTap(server *Server) *tap { return &tap{server: server, late: map[any]int{}} }

func (t *tap) Incoming(node *waBinary.Node) bool {
	t.record(node, true)
	return true
}

func (t *tap) Outgoing(node *waBinary.Node) (copies int) {
	copies = 1
	if device := t.device.Load(); device != nil && !t.wasKept(node) {
		copies = t.server.faults.Outgoing(*device, node, t.sendLate)
	}
	for range copies {
		t.record(node, false)
	}
	return copies
}

// sendLate sends an ack that was kept; it is not kept again.
func (t *tap) sendLate(ack waBinary.Node) {
	t.mu.Lock()
	t.late[ack.Attrs["id"]]++
	t.mu.Unlock()
	t.send(ack)
}

func (t *tap) wasKept(node *waBinary.Node) bool {
	if node.Tag != "ack" {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	id := node.Attrs["id"]
	if t.late[id] == 0 {
		return false
	}
	if t.late[id]--; t.late[id] == 0 {
		delete(t.late, id)
	}
	return true
}

func (t *tap) record(node *waBinary.Node, incoming bool) {
	stanza := Stanza{Time: t.server.world.Now(), Incoming: incoming, Node: *node}
	if device := t.device.Load(); device != nil {
		stanza.Device = *device
	}
	t.server.ring.add(stanza)
}
