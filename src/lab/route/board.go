package route

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/oracle"
)

// Board knows which devices are online and delivers to all.
type Board struct {
	World  *model.World
	Oracle *oracle.Log

	mu    sync.Mutex // held while a stanza is queued and sent, so that both keep one order
	lines map[model.Address]*Line
	left  chan struct{} // closed when a line leaves
}

// NewBoard makes a board with nobody online.
func NewBoard(world *model.World, log *oracle.Log) *Board {
	return &Board{World: world, Oracle: log, lines: map[model.Address]*Line{}, left: make(chan struct{})}
}

// Enter puts a line on the board and returns the one it replaces, if any.
func (b *Board) Enter(line *Line) (replaced *Line) {
	b.mu.Lock()
	defer b.mu.Unlock()
	replaced = b.lines[line.Address]
	b.lines[line.Address] = line
	return replaced
}

// Leave takes a line off the board unless it was replaced before, and tells
// whom it concerns that its owner is gone.
func (b *Board) Leave(line *Line) {
	b.remove(line)
	b.setAvailable(line, false)
}

func (b *Board) remove(line *Line) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lines[line.Address] == line {
		delete(b.lines, line.Address)
	}
	close(b.left)
	b.left = make(chan struct{})
}

// AwaitOffline waits until a device has no connection.
func (b *Board) AwaitOffline(ctx context.Context, device model.Address) error {
	for {
		b.mu.Lock()
		online, left := b.lines[device] != nil, b.left
		b.mu.Unlock()
		if !online {
			return nil
		}
		select {
		case <-left:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Line gives the open connection of a device; nil while it is offline.
func (b *Board) Line(of model.Address) *Line {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines[of]
}

// Lines lists the open connections of an account, or of all for "".
func (b *Board) Lines(phone string) []*Line {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []*Line
	for address, line := range b.lines {
		if phone == "" || address.Phone == phone {
			lines = append(lines, line)
		}
	}
	return lines
}

// Deliver queues a stanza for a device until it confirms it, and sends it at
// once when the device is online. What is addressed to the phone itself is
// dropped and counted; what is addressed to nobody is dropped.
func (b *Board) Deliver(to model.Address, node waBinary.Node) bool {
	return b.deliverAfter(func() {}, to, node)
}

// deliverAfter delivers, and before anything can come of that does something
// that concerns it; not if nobody gets it.
func (b *Board) deliverAfter(act func(), to model.Address, node waBinary.Node) bool {
	if to.Number == 0 {
		b.World.CountDropped(to.Phone)
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.World.Enqueue(to, node) {
		return false
	}
	act()
	if line := b.lines[to]; line != nil && line.active && !line.Ended() {
		b.send(line, node, false)
	}
	return true
}

// Activate begins delivery to a line: first all that waits in its queue, framed
// and marked as offline, then whatever comes. A line that is active stays so.
func (b *Board) Activate(line *Line) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if line.active {
		return
	}
	pending := b.World.Pending(line.Address)
	line.Send(offlinePreview(pending))
	for i, node := range pending {
		node.Attrs = with(node.Attrs, waBinary.Attrs{"offline": i})
		b.send(line, node, true)
	}
	line.Send(infoBit(waBinary.Node{Tag: "offline", Attrs: waBinary.Attrs{"count": len(pending)}}))
	line.active = true
}

// Deactivate stops delivery to a line; stanzas wait in the queue meanwhile.
func (b *Board) Deactivate(line *Line) {
	b.mu.Lock()
	defer b.mu.Unlock()
	line.active = false
}

func (b *Board) send(line *Line, node waBinary.Node, offline bool) {
	if node.Tag != "message" {
		line.Send(node)
		return
	}
	entry := b.entry(oracle.Delivered, line, &node)
	entry.Offline = offline
	line.conn.SendThen(node, func() { b.Oracle.Note(entry) })
}

// Confirm takes a stanza out of the queue of the device that confirms it.
func (b *Board) Confirm(line *Line, key model.Key, problem string) {
	node := b.World.Confirm(line.Address, key)
	if node == nil || node.Tag != "message" {
		return
	}
	entry := b.entry(oracle.Confirmed, line, node)
	entry.Error = problem
	b.Oracle.Note(entry)
}

// entry describes what happened to a stanza that was routed to a device.
func (b *Board) entry(what oracle.What, at *Line, node *waBinary.Node) oracle.Entry {
	read := node.AttrGetter()
	chat, from := sides(node)
	peer := b.phoneOf(from)
	return oracle.Entry{
		What: what, Account: at.Address.Phone, Device: at.Address.Number, Connection: at.Login, Peer: peer,
		ID: read.OptionalString("id"), From: from.String(), To: text(chat),
		Type: read.OptionalString("type"), Edit: read.OptionalString("edit"),
		OwnDevice: peer == at.Address.Phone,
	}
}

// sides tells who a stanza to a device comes from, and in which chat it stands
// if that is another: a group, or one that an own device has with somebody.
func sides(node *waBinary.Node) (chat, from types.JID) {
	read := node.AttrGetter()
	chat, from = read.OptionalJIDOrEmpty("recipient"), read.OptionalJIDOrEmpty("from")
	if from.Server == types.GroupServer {
		return from, read.OptionalJIDOrEmpty("participant")
	}
	return chat, from
}

// phoneOf is the phone number of an address of either space; "" when unknown.
func (b *Board) phoneOf(jid types.JID) string {
	account, err := b.World.Find(jid)
	if err != nil {
		return ""
	}
	return account.Phone
}

func offlinePreview(pending []waBinary.Node) waBinary.Node {
	counts := map[string]int{}
	for _, node := range pending {
		counts[node.Tag]++
	}
	return infoBit(waBinary.Node{Tag: "offline_preview", Attrs: waBinary.Attrs{
		"count": len(pending), "message": counts["message"], "receipt": counts["receipt"],
		"notification": counts["notification"], "appdata": 0,
	}})
}

func infoBit(child waBinary.Node) waBinary.Node {
	return waBinary.Node{Tag: "ib", Attrs: waBinary.Attrs{"from": types.ServerJID}, Content: []waBinary.Node{child}}
}

// NewID makes an id for a stanza of the server's own.
func NewID() string { return fmt.Sprintf("%016X", rand.Uint64()) }

// stamp is a time as stanzas tell it.
func stamp(at time.Time) int64 { return at.Unix() }

func text(jid types.JID) string {
	if jid.IsEmpty() {
		return ""
	}
	return jid.String()
}

// with copies attributes and adds more, so that a stanza which several share
// stays as it is.
func with(attrs, more waBinary.Attrs) waBinary.Attrs {
	joined := make(waBinary.Attrs, len(attrs)+len(more))
	for name, value := range attrs {
		joined[name] = value
	}
	for name, value := range more {
		joined[name] = value
	}
	return joined
}
