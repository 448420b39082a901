// Package route brings stanzas from one device to others: messages, receipts,
// presence and notifications, through queues that survive a device's absence.
package route

import (
	"sync"
	"sync/atomic"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/wire"
)

// Line is the open connection of a logged-in device.
type Line struct {
	Address model.Address
	Account *model.Account
	Login   uint64 // counts the logins of this lab, from 1
	conn    *wire.Conn
	active  bool // guarded by the board: the queue is being delivered
	ended   atomic.Bool

	mu         sync.Mutex
	available  bool
	subscribed map[types.JID]bool
}

// NewLine wraps the connection of a device that proved who it is.
func NewLine(account *model.Account, number uint16, login uint64, conn *wire.Conn) *Line {
	return &Line{
		Address: model.Address{Phone: account.Phone, Number: number},
		Account: account, Login: login, conn: conn, subscribed: map[types.JID]bool{},
	}
}

// JID is the device's address in the address space of server.
func (l *Line) JID(server string) types.JID {
	jid := l.Account.In(server)
	jid.Device = l.Address.Number
	return jid
}

// shown is the device's address as accounts other than its own see it: in the
// form its account is to be named in, normally the space that is asked for.
func (l *Line) shown(server string) types.JID {
	switch l.Account.Naming {
	case model.LIDOnly:
		server = types.HiddenUserServer
	case model.PhoneOnly, model.PhoneWithLID:
		server = types.DefaultUserServer
	}
	return l.JID(server)
}

// Send puts a stanza on the device's socket without queueing it.
func (l *Line) Send(node waBinary.Node) { l.conn.Send(node) }

// End says a last word, even to a frozen line, and leaves the client some time
// to close the connection. What it still says is not heard.
func (l *Line) End(node waBinary.Node, grace time.Duration) {
	l.ended.Store(true)
	l.conn.Thaw()
	l.conn.SendLast(node, grace)
}

// Ended tells whether the last word was said.
func (l *Line) Ended() bool { return l.ended.Load() }

// Drop closes the socket without a word.
func (l *Line) Drop() { l.conn.Close() }

// Freeze stops reading and answering while the socket stays open.
func (l *Line) Freeze() { l.conn.Freeze() }

// Thaw ends a freeze.
func (l *Line) Thaw() { l.conn.Thaw() }

// Slow lets every stanza from the device be heard, and every one to it leave, so
// much later.
func (l *Line) Slow(from, to time.Duration) { l.conn.Slow(from, to) }
