package route

import (
	"slices"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/oracle"
)

// groupMessage routes a message to a group: to all devices of all members but
// the one it comes from, each with what is encrypted for it alone, which is the
// sender's key, and what is encrypted for all. One with a participant answers
// that device's retry, and is for it alone.
func (b *Board) groupMessage(from *Line, node *waBinary.Node, to types.JID, now time.Time) error {
	group, err := b.World.Group(to)
	if err != nil {
		return b.Refuse(from, node, codeUnknownRecipient)
	}
	if !group.Has(from.Address.Phone) {
		return b.Refuse(from, node, codeNotMember)
	}
	if err = b.Oracle.Commit(b.taken(oracle.Accepted, from, node)); err != nil {
		return err
	}
	forAll := node.GetChildrenByTag("enc")
	if asker := node.AttrGetter().OptionalJIDOrEmpty("participant"); !asker.IsEmpty() {
		b.deliverInGroup(from, node, group, addressee{asker, forAll}, now)
		from.Send(messageAck(node, now, nil))
		return nil
	}
	devices, keys := b.groupDevices(group), b.keysFor(node)
	for _, device := range devices {
		each := addressee{device, forAll}
		if own := keys[b.addressOf(device)]; len(own) > 0 && b.World.NeedsKey(group, from.Address, b.addressOf(device)) {
			each.ciphertext = slices.Concat(own, forAll)
		}
		b.deliverInGroup(from, node, group, each, now)
	}
	from.Send(messageAck(node, now, waBinary.Attrs{"phash": staleMembers(node, devices)}))
	return nil
}

// groupDevices lists all devices of all members, the phones included, as the
// group knows them.
func (b *Board) groupDevices(group model.Group) (devices []types.JID) {
	for _, phone := range group.Members {
		if member, err := b.World.Account(phone); err == nil {
			devices = append(devices, DeviceJIDs(b.World, member, group.Space())...)
		}
	}
	return devices
}

// keysFor lists what a message to a group holds for single devices.
func (b *Board) keysFor(node *waBinary.Node) map[model.Address][]waBinary.Node {
	keys := map[model.Address][]waBinary.Node{}
	participants := node.GetChildByTag("participants")
	for _, child := range participants.GetChildrenByTag("to") {
		device := b.addressOf(child.AttrGetter().OptionalJIDOrEmpty("jid"))
		keys[device] = append(keys[device], child.GetChildrenByTag("enc")...)
	}
	return keys
}

// addressOf is the address of a device of either space; empty when unknown.
func (b *Board) addressOf(jid types.JID) model.Address {
	address, err := b.World.Locate(jid)
	if err != nil {
		return model.Address{}
	}
	return address
}

func (b *Board) deliverInGroup(
	from *Line, node *waBinary.Node, group model.Group, to addressee, now time.Time,
) {
	address := b.addressOf(to.jid)
	if address == from.Address || !group.Has(address.Phone) {
		return
	}
	attrs := with(b.attrsOfAll(from, node, now), groupAttrs(group, from))
	b.Deliver(address, waBinary.Node{
		Tag: "message", Attrs: attrs, Content: slices.Concat(to.ciphertext, companions(node, to.ciphertext)),
	})
}

// groupAttrs say that a stanza comes out of a group, and from which member.
func groupAttrs(group model.Group, from *Line) waBinary.Attrs {
	attrs := waBinary.Attrs{
		"from": group.JID(), "participant": from.JID(group.Space()), "addressing_mode": string(group.Addressing),
	}
	addBeside(attrs, "participant", from.Account, group.Space())
	return attrs
}

// staleMembers gives the true hash when the list of devices that a sender had
// in mind is another than there is.
func staleMembers(node *waBinary.Node, devices []types.JID) string {
	believed, actual := node.AttrGetter().OptionalString("phash"), Hash(devices)
	if believed == "" || believed == actual {
		return ""
	}
	return actual
}

// spaceOf is the address space in which accounts are named in a chat.
func (b *Board) spaceOf(chat types.JID) string {
	if group, err := b.World.Group(chat); err == nil {
		return group.Space()
	}
	return chat.Server
}
