package fault

import (
	"sync"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/model"
)

// Desk keeps the faults in force. Device number 0 stands for all devices of an
// account; a device may have a fault of its own beside that. Faults outlive
// the connections during which they were set.
type Desk struct {
	mu    sync.Mutex
	plans map[model.Address]*plan
	held  map[model.Address][]lateAck
}

// NewDesk makes a desk without faults.
func NewDesk() *Desk {
	return &Desk{plans: map[model.Address]*plan{}, held: map[model.Address][]lateAck{}}
}

// Set replaces the fault that is in force for a device or account; the zero
// fault ends it.
func (d *Desk) Set(at model.Address, fault Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if fault == (Fault{}) {
		delete(d.plans, at)
		return
	}
	d.plans[at] = &plan{Fault: fault}
}

// Unreachable tells whether a device's logins are dropped.
func (d *Desk) Unreachable(device model.Address) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.any(device, func(p *plan) bool { return p.Unreachable })
}

// LoginFailure tells the number that a device's logins are refused with, 0 for
// none, and how long the ban lasts if it is one.
func (d *Desk) LoginFailure(device model.Address) (code int, ban time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.any(device, func(p *plan) bool {
		code, ban = p.Fault.LoginFailure, p.Ban
		return code != 0
	})
	return code, ban
}

// Incoming is asked about every stanza from a device: the error number that a
// message is refused with, 0 for one that is not.
func (d *Desk) Incoming(device model.Address, node *waBinary.Node) (refusal int) {
	if node.Tag != "message" {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.any(device, func(p *plan) bool {
		refusal = p.refusal()
		return refusal != 0
	})
	return refusal
}

// LosesRetry tells whether a receipt from a device asks for a message again, and
// nobody is to hear of it.
func (d *Desk) LosesRetry(device model.Address, node *waBinary.Node) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return node.Attrs["type"] == "retry" && d.any(device, func(p *plan) bool { return p.RetriesLost })
}

// Outgoing is asked about every stanza to a device: how often it leaves now. A
// message that is to arrive spoilt becomes a spoilt copy of itself; an ack that
// stays may be sent later, past the desk.
func (d *Desk) Outgoing(device model.Address, node *waBinary.Node, send func(waBinary.Node)) (copies int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case node.Tag == "message":
		if d.any(device, func(p *plan) bool { return p.garbles(device, node) }) {
			*node = spoilt(node)
		}
		if d.any(device, (*plan).doubles) {
			return 2
		}
	case isMessageAck(node):
		if d.keepsAck(device, node, send) {
			return 0
		}
	}
	return 1
}

// Delays tells how much longer each stanza from a device, and to it, takes.
func (d *Desk) Delays(device model.Address) (from, to time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.any(device, func(p *plan) bool {
		from, to = p.DelayFrom, p.DelayTo
		return from != 0 || to != 0
	})
	return from, to
}

// any asks the plans that concern a device, its own first.
func (d *Desk) any(device model.Address, holds func(*plan) bool) bool {
	for _, at := range []model.Address{device, {Phone: device.Phone}} {
		if found := d.plans[at]; found != nil && holds(found) {
			return true
		}
	}
	return false
}
