package route

import (
	"slices"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/oracle"
)

// confirming are the receipt types that mean "I have it": the message leaves
// the device's queue. The empty one is a plain delivery receipt.
var confirming = []string{"", "inactive", "sender", "peer_msg", "hist_sync"}

// private are the receipt types that concern nobody but the server.
var private = []string{"sender", "peer_msg", "hist_sync", "server-error"}

// Receipt takes a receipt from a device: it may confirm a message, and it goes
// on to those whom it concerns. The device gets its ack after both.
func (b *Board) Receipt(from *Line, node *waBinary.Node) {
	read := node.AttrGetter()
	kind, to := read.OptionalString("type"), read.OptionalJIDOrEmpty("to")
	if slices.Contains(confirming, kind) {
		b.Confirm(from, messageKey(node), "")
	}
	switch {
	case slices.Contains(private, kind):
	case kind == "retry":
		b.forwardReceipt(from, node, to)
	case kind == "read-self":
		b.forwardToOwn(from, node, to)
	default:
		b.forwardToSender(from, node, to)
		if kind == "read" || kind == "played" {
			b.forwardToOwn(from, node, to)
		}
	}
	from.Send(waBinary.Node{Tag: "ack", Attrs: waBinary.Attrs{
		"class": "receipt", "id": node.Attrs["id"], "from": to, "type": kind, "t": stamp(b.World.Now()),
	}})
}

// Ack takes a device's ack of a stanza that was queued for it.
func (b *Board) Ack(from *Line, node *waBinary.Node) {
	read := node.AttrGetter()
	key := messageKey(node)
	key.Tag, key.Kind = read.OptionalString("class"), read.OptionalString("type")
	if key.Tag == "message" {
		key.Kind = ""
	}
	b.Confirm(from, key, read.OptionalString("error"))
}

func messageKey(node *waBinary.Node) model.Key {
	read := node.AttrGetter()
	return model.Key{
		Tag: "message", ID: read.OptionalString("id"),
		From: read.OptionalJIDOrEmpty("to"), Participant: read.OptionalJIDOrEmpty("participant"),
	}
}

func (b *Board) forwardToSender(from *Line, node *waBinary.Node, to types.JID) {
	sender, err := b.World.Find(to)
	if err != nil || sender.Phone == from.Address.Phone {
		return
	}
	for _, device := range DeviceJIDs(b.World, sender, to.Server)[1:] {
		b.forwardReceipt(from, node, device)
	}
}

// forwardToOwn tells the reader's other devices what was read, and of whom.
func (b *Board) forwardToOwn(from *Line, node *waBinary.Node, chat types.JID) {
	shared := *node
	shared.Attrs = with(node.Attrs, waBinary.Attrs{"recipient": chat.ToNonAD()})
	for _, device := range DeviceJIDs(b.World, from.Account, chat.Server)[1:] {
		if device.Device != from.Address.Number {
			b.forwardReceipt(from, &shared, device)
		}
	}
}

func (b *Board) forwardReceipt(from *Line, node *waBinary.Node, to types.JID) {
	address, err := b.World.Locate(to)
	if err != nil {
		return
	}
	reader := from.shown(to.Server)
	if address.Phone == from.Address.Phone {
		reader = from.JID(to.Server)
	}
	forwarded := waBinary.Node{
		Tag: "receipt",
		Attrs: waBinary.Attrs{
			"id": node.Attrs["id"], "type": node.Attrs["type"], "recipient": node.Attrs["recipient"],
			"from": reader, "t": stamp(b.World.Now()),
		},
		Content: node.Content,
	}
	if b.Deliver(address, forwarded) {
		b.Oracle.Note(receiptEntry(address, &forwarded, from))
	}
}

func receiptEntry(to model.Address, node *waBinary.Node, from *Line) oracle.Entry {
	read := node.AttrGetter()
	entry := oracle.Entry{
		What: oracle.Receipt, Account: to.Phone, Device: to.Number, Peer: from.Address.Phone, ID: read.OptionalString("id"),
		From: text(read.OptionalJIDOrEmpty("from")), To: text(read.OptionalJIDOrEmpty("recipient")),
		Type: read.OptionalString("type"), OwnDevice: to.Phone == from.Address.Phone,
	}
	list := node.GetChildByTag("list")
	for _, item := range list.GetChildrenByTag("item") {
		entry.IDs = append(entry.IDs, item.AttrGetter().OptionalString("id"))
	}
	return entry
}
