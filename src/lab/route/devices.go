package route

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
)

// DeviceJIDs lists all devices of an account, the phone first, in the address
// space of server.
func DeviceJIDs(world *model.World, account *model.Account, server string) []types.JID {
	jids := []types.JID{account.In(server)}
	devices, err := world.Devices(account.Phone)
	if err != nil {
		return jids
	}
	for _, device := range devices {
		jid := account.In(server)
		jid.Device = device.Number
		jids = append(jids, jid)
	}
	return jids
}

// Hash is the checksum by which clients compare lists of devices.
func Hash(jids []types.JID) string {
	names := make([]string, len(jids))
	for i, jid := range jids {
		names[i] = jid.ADString()
	}
	slices.Sort(names)
	digest := sha256.Sum256([]byte(strings.Join(names, "")))
	return "2:" + base64.RawStdEncoding.EncodeToString(digest[:6])
}

// staleDevices gives the true hash when the devices a message was addressed to
// are not all there are; the sender then asks for the list again. Otherwise it
// is empty. A message to a single device says nothing about the list.
func (b *Board) staleDevices(from *Line, node *waBinary.Node, to types.JID, addressed []addressee) string {
	recipient, err := b.World.Find(to)
	if _, listed := node.GetOptionalChildByTag("participants"); err != nil || !listed {
		return ""
	}
	used := []types.JID{from.JID(to.Server)}
	for _, each := range addressed {
		used = append(used, each.jid)
	}
	actual := DeviceJIDs(b.World, recipient, to.Server)
	if recipient.Phone != from.Address.Phone {
		actual = append(actual, DeviceJIDs(b.World, from.Account, to.Server)...)
	}
	if hash := Hash(actual); hash != Hash(used) {
		return hash
	}
	return ""
}

// TellDevicesChanged announces a new or removed device: the whole list to the
// account's own devices, the change to all who asked for the list before.
func (b *Board) TellDevicesChanged(account *model.Account, change string, number uint16) {
	for _, jid := range DeviceJIDs(b.World, account, types.DefaultUserServer)[1:] {
		if jid.Device != number {
			b.Deliver(model.Address{Phone: account.Phone, Number: jid.Device}, b.ownDevices(account))
		}
	}
	for _, phone := range b.World.Watchers(account.Phone) {
		watcher, err := b.World.Account(phone)
		if err != nil || watcher == account {
			continue
		}
		for _, jid := range DeviceJIDs(b.World, watcher, types.DefaultUserServer)[1:] {
			to := model.Address{Phone: phone, Number: jid.Device}
			b.Deliver(to, b.deviceChange(account, types.HiddenUserServer, change, number))
			b.Deliver(to, b.deviceChange(account, types.DefaultUserServer, change, number))
		}
	}
}

func (b *Board) ownDevices(account *model.Account) waBinary.Node {
	jids := DeviceJIDs(b.World, account, types.DefaultUserServer)
	children := make([]waBinary.Node, len(jids))
	for i, jid := range jids {
		children[i] = waBinary.Node{Tag: "device", Attrs: waBinary.Attrs{"jid": jid}}
	}
	return b.notification("account_sync", account.PN(), waBinary.Node{
		Tag: "devices", Attrs: waBinary.Attrs{"dhash": Hash(jids)}, Content: children,
	})
}

func (b *Board) deviceChange(account *model.Account, server, change string, number uint16) waBinary.Node {
	jid := account.In(server)
	jid.Device = number
	return b.notification("devices", account.In(server), waBinary.Node{
		Tag:     change,
		Attrs:   waBinary.Attrs{"device_hash": Hash(DeviceJIDs(b.World, account, server))},
		Content: []waBinary.Node{{Tag: "device", Attrs: waBinary.Attrs{"jid": jid}}},
	})
}

func (b *Board) notification(kind string, from types.JID, child waBinary.Node) waBinary.Node {
	return waBinary.Node{
		Tag:     "notification",
		Attrs:   waBinary.Attrs{"id": NewID(), "type": kind, "from": from, "t": stamp(b.World.Now())},
		Content: []waBinary.Node{child},
	}
}

// Announce sends a notification to all devices of an account.
func (b *Board) Announce(
	to *model.Account, kind string, from types.JID, more waBinary.Attrs, child waBinary.Node,
) {
	for _, jid := range DeviceJIDs(b.World, to, types.DefaultUserServer)[1:] {
		notification := b.notification(kind, from, child)
		notification.Attrs = with(notification.Attrs, more)
		b.Deliver(model.Address{Phone: to.Phone, Number: jid.Device}, notification)
	}
}

// TellPreKeysLow asks a device to upload more one-time keys.
func (b *Board) TellPreKeysLow(of model.Address, left int) {
	count := waBinary.Node{Tag: "count", Attrs: waBinary.Attrs{"value": left}}
	b.Deliver(of, b.notification("encrypt", types.ServerJID, count))
}
