// Package fault is where the lab is told to misbehave. Every stanza to or from
// a logged-in device passes its device's Gate, once per direction.
package fault

import (
	"sync"

	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/model"
)

// Desk keeps one gate per device, for as long as the lab runs: a fault outlives
// the connection during which it was asked for.
type Desk struct {
	mu    sync.Mutex
	gates map[model.Address]*Gate
}

// NewDesk makes a desk without faults.
func NewDesk() *Desk { return &Desk{gates: map[model.Address]*Gate{}} }

// Gate gives a device's gate.
func (d *Desk) Gate(of model.Address) *Gate {
	d.mu.Lock()
	defer d.mu.Unlock()
	gate := d.gates[of]
	if gate == nil {
		gate = &Gate{}
		d.gates[of] = gate
	}
	return gate
}

// Gate decides for each stanza of one device whether it passes.
type Gate struct {
	mu       sync.Mutex
	holdAcks bool
	held     []waBinary.Node
}

// HoldAcks keeps back the acks of messages that the device sends from now on.
func (g *Gate) HoldAcks() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.holdAcks = true
}

// ReleaseAcks ends HoldAcks and returns the acks that were kept, in order.
func (g *Gate) ReleaseAcks() []waBinary.Node {
	g.mu.Lock()
	defer g.mu.Unlock()
	held := g.held
	g.holdAcks, g.held = false, nil
	return held
}

// Held tells how many acks are kept back.
func (g *Gate) Held() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.held)
}

// Incoming is asked about every stanza from the device. No fault concerns that
// direction yet.
func (g *Gate) Incoming(*waBinary.Node) (passes bool) { return true }

// Outgoing is asked about every stanza to the device.
func (g *Gate) Outgoing(node *waBinary.Node) (passes bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.holdAcks && node.Tag == "ack" && node.Attrs["class"] == "message" {
		g.held = append(g.held, *node)
		return false
	}
	return true
}
