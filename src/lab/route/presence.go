package route

import (
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
)

// Presence takes what a device says of its owner's presence, or its wish to be
// told somebody else's.
func (b *Board) Presence(from *Line, node *waBinary.Node) {
	read := node.AttrGetter()
	switch kind := read.OptionalString("type"); kind {
	case "subscribe":
		b.subscribe(from, read.OptionalJIDOrEmpty("to"))
	case "unsubscribe":
		from.mu.Lock()
		delete(from.subscribed, read.OptionalJIDOrEmpty("to"))
		from.mu.Unlock()
	case "available", "unavailable", "":
		if name := read.OptionalString("name"); name != "" {
			b.World.SetName(from.Address.Phone, name)
		}
		b.setAvailable(from, kind != "unavailable")
	}
}

func (b *Board) setAvailable(line *Line, available bool) {
	line.mu.Lock()
	changed := line.available != available
	line.available = available
	line.mu.Unlock()
	if changed && !available {
		b.World.SetLastSeen(line.Address.Phone, b.World.Now())
	}
	if changed {
		b.tellPresence(line.Account)
	}
}

func (b *Board) subscribe(from *Line, to types.JID) {
	account, err := b.World.Find(to)
	if err != nil {
		return
	}
	from.mu.Lock()
	from.subscribed[to] = true
	from.mu.Unlock()
	from.Send(b.presenceOf(account, to))
}

// tellPresence tells everybody who subscribed to an account what it is now.
func (b *Board) tellPresence(account *model.Account) {
	for _, line := range b.Lines("") {
		for _, known := range []types.JID{account.PN(), account.LIDJID()} {
			line.mu.Lock()
			subscribed := line.subscribed[known]
			line.mu.Unlock()
			if subscribed {
				line.Send(b.presenceOf(account, known))
			}
		}
	}
}

func (b *Board) presenceOf(account *model.Account, as types.JID) waBinary.Node {
	for _, line := range b.Lines(account.Phone) {
		line.mu.Lock()
		available := line.available
		line.mu.Unlock()
		if available {
			return waBinary.Node{Tag: "presence", Attrs: waBinary.Attrs{"from": as}}
		}
	}
	absent := waBinary.Node{Tag: "presence", Attrs: waBinary.Attrs{"from": as, "type": "unavailable"}}
	if seen := b.World.LastSeen(account.Phone); !seen.IsZero() {
		absent.Attrs["last"] = stamp(seen)
	}
	return absent
}

// ChatState passes on that somebody is typing, to the devices that are online.
func (b *Board) ChatState(from *Line, node *waBinary.Node) {
	to := node.AttrGetter().OptionalJIDOrEmpty("to")
	account, err := b.World.Find(to)
	if err != nil || b.World.Blocks(account.Phone, from.Address.Phone) {
		return
	}
	for _, line := range b.Lines(account.Phone) {
		line.Send(waBinary.Node{
			Tag:     "chatstate",
			Attrs:   waBinary.Attrs{"from": from.Account.In(to.Server)},
			Content: node.Content,
		})
	}
}
