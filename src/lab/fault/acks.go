package fault

import (
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/model"
)

// lateAck is an ack that is held back, and the way to its connection.
type lateAck struct {
	node waBinary.Node
	send func(waBinary.Node)
}

func isMessageAck(node *waBinary.Node) bool {
	return node.Tag == "ack" && node.Attrs["class"] == "message"
}

// keepsAck tells whether an ack stays here, for a while or for good. The caller
// holds the lock.
func (d *Desk) keepsAck(device model.Address, node *waBinary.Node, send func(waBinary.Node)) bool {
	if d.any(device, func(p *plan) bool { return p.AcksLost }) {
		return true
	}
	if d.any(device, func(p *plan) bool { return p.AcksHeld }) {
		d.held[device] = append(d.held[device], lateAck{*node, send})
		return true
	}
	var delay time.Duration
	d.any(device, func(p *plan) bool {
		delay = p.AckDelay
		return delay != 0
	})
	if delay == 0 {
		return false
	}
	late := *node
	time.AfterFunc(delay, func() { send(late) })
	return true
}

// Release sends the acks that were held for devices where this ended, in order.
// One whose connection has ended is lost.
func (d *Desk) Release() {
	for _, ack := range d.released() {
		ack.send(ack.node)
	}
}

func (d *Desk) released() (acks []lateAck) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for device, held := range d.held {
		if !d.any(device, func(p *plan) bool { return p.AcksHeld }) {
			acks = append(acks, held...)
			delete(d.held, device)
		}
	}
	return acks
}

// Held tells how many acks are held back from a device.
func (d *Desk) Held(device model.Address) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.held[device])
}
