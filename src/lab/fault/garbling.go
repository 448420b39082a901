package fault

import (
	"fmt"
	"slices"

	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/model"
)

// copied names what a message's copies for one device have in common, however
// often it is delivered or sent again.
type copied struct {
	device   model.Address
	from, id string
}

// garbles takes the spoiling of one message from the plan, if it is to be spoilt.
func (p *plan) garbles(device model.Address, node *waBinary.Node) bool {
	message := copied{device, fmt.Sprint(node.Attrs["from"]), fmt.Sprint(node.Attrs["id"])}
	if len(p.garbled) >= p.GarbleCount || p.garbled[message] {
		return false
	}
	if p.garbled == nil {
		p.garbled = map[copied]bool{}
	}
	p.garbled[message] = true
	return true
}

// fromEnd is where a ciphertext is spoilt: before the checksum and what may
// follow it, so that it is well-formed and not what its author made.
const fromEnd = 20

// spoilt copies a message and spoils what is encrypted in the copy; the queue
// keeps the message as it is. Of a message to a group it spoils the words, and
// leaves the keys that come with them.
func spoilt(node *waBinary.Node) waBinary.Node {
	children := slices.Clone(node.GetChildren())
	toGroup := slices.ContainsFunc(children, isGroupText)
	for i, child := range children {
		ciphertext, ok := child.Content.([]byte)
		if child.Tag != "enc" || !ok || len(ciphertext) == 0 || (toGroup && !isGroupText(child)) {
			continue
		}
		ciphertext = slices.Clone(ciphertext)
		ciphertext[max(0, len(ciphertext)-fromEnd)] ^= 0xff
		children[i].Content = ciphertext
	}
	damaged := *node
	damaged.Content = children
	return damaged
}

func isGroupText(child waBinary.Node) bool {
	return child.Tag == "enc" && child.Attrs["type"] == "skmsg"
}
