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
	author := b.authorOf(to, read.OptionalJIDOrEmpty("participant"))
	if slices.Contains(confirming, kind) {
		b.Confirm(from, messageKey(node), "")
	}
	switch {
	case slices.Contains(private, kind) || author.IsEmpty():
	case kind == "retry":
		b.forwardReceipt(from, node, author)
	case kind == "read-self":
		b.forwardToOwn(from, node, author)
	default:
		b.forwardToSender(from, node, author)
		if kind == "read" || kind == "played" {
			b.forwardToOwn(from, node, author)
		}
	}
	from.Send(waBinary.Node{Tag: "ack", Attrs: waBinary.Attrs{
		"class": "receipt", "id": node.Attrs["id"], "from": to, "type": kind, "t": stamp(b.World.Now()),
	}})
}

// authorOf is whose message a receipt is about: the chat itself or, in a group,
// the participant, who has to be named as the group does.
func (b *Board) authorOf(chat, participant types.JID) types.JID {
	if chat.Server != types.GroupServer {
		return chat
	}
	if participant.Server != b.spaceOf(chat) {
		return types.EmptyJID
	}
	return participant
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
func (b *Board) forwardToOwn(from *Line, node *waBinary.Node, author types.JID) {
	shared := *node
	shared.Attrs = with(node.Attrs, waBinary.Attrs{"recipient": author.ToNonAD()})
	for _, device := range DeviceJIDs(b.World, from.Account, author.Server)[1:] {
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
	forwarded := waBinary.Node{
		Tag: "receipt",
		Attrs: with(waBinary.Attrs{
			"id": node.Attrs["id"], "type": node.Attrs["type"], "recipient": node.Attrs["recipient"],
			"t": stamp(b.World.Now()),
		}, b.readerAttrs(from, node, to, address.Phone == from.Address.Phone)),
		Content: node.Content,
	}
	entry := receiptEntry(address, &forwarded, from)
	b.deliverAfter(func() { b.Oracle.Note(entry) }, address, forwarded)
}

// readerAttrs say whose receipt it is: of whom, or of which member of a group.
func (b *Board) readerAttrs(from *Line, node *waBinary.Node, to types.JID, own bool) waBinary.Attrs {
	if group, err := b.World.Group(node.AttrGetter().OptionalJIDOrEmpty("to")); err == nil {
		return groupAttrs(group, from)
	}
	if own {
		return waBinary.Attrs{"from": from.JID(to.Server)}
	}
	return waBinary.Attrs{"from": from.shown(to.Server)}
}

func receiptEntry(to model.Address, node *waBinary.Node, from *Line) oracle.Entry {
	read := node.AttrGetter()
	chat, reader := sides(node)
	entry := oracle.Entry{
		What: oracle.Receipt, Account: to.Phone, Device: to.Number, Peer: from.Address.Phone, ID: read.OptionalString("id"),
		From: text(reader), To: text(chat),
		Type: read.OptionalString("type"), OwnDevice: to.Phone == from.Address.Phone,
	}
	list := node.GetChildByTag("list")
	for _, item := range list.GetChildrenByTag("item") {
		entry.IDs = append(entry.IDs, item.AttrGetter().OptionalString("id"))
	}
	return entry
}
