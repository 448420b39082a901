package model

import (
	"encoding/json"
	"slices"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// Key identifies a queued stanza by what its confirmation repeats. Kind is the
// type of a receipt or notification; for messages it is empty.
type Key struct {
	Tag         string
	ID          string
	From        types.JID
	Participant types.JID
	Kind        string
}

// KeyOf reads the key out of a stanza that is to be queued.
func KeyOf(node *waBinary.Node) Key {
	read := node.AttrGetter()
	key := Key{
		Tag:         node.Tag,
		ID:          read.OptionalString("id"),
		From:        read.OptionalJIDOrEmpty("from"),
		Participant: read.OptionalJIDOrEmpty("participant"),
	}
	if node.Tag != "message" {
		key.Kind = read.OptionalString("type")
	}
	return key
}

// Queued is a stanza that a device has not confirmed yet. In JSON it is its
// bytes in the protocol's own encoding.
type Queued struct {
	Node waBinary.Node
}

// MarshalJSON writes the encoded stanza as base64.
func (q *Queued) MarshalJSON() ([]byte, error) {
	data, err := waBinary.Marshal(q.Node)
	if err != nil {
		return nil, err
	}
	return json.Marshal(data)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (q *Queued) UnmarshalJSON(text []byte) error {
	var data []byte
	if err := json.Unmarshal(text, &data); err != nil {
		return err
	}
	unpacked, err := waBinary.Unpack(data)
	if err != nil {
		return err
	}
	node, err := waBinary.Unmarshal(unpacked)
	if err != nil {
		return err
	}
	q.Node = *node
	return nil
}

// Enqueue adds a stanza to a device's queue. It is false when the device does
// not exist (any more).
func (w *World) Enqueue(to Address, node waBinary.Node) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	device := w.device(to)
	if device == nil {
		return false
	}
	device.Queue = append(device.Queue, &Queued{Node: node})
	return true
}

// Confirm removes the oldest stanza with that key from a device's queue and
// returns it; nil when there is none.
func (w *World) Confirm(from Address, key Key) *waBinary.Node {
	w.mu.Lock()
	defer w.mu.Unlock()
	device := w.device(from)
	if device == nil {
		return nil
	}
	for i, queued := range device.Queue {
		if KeyOf(&queued.Node) == key {
			device.Queue = slices.Delete(device.Queue, i, i+1)
			return &queued.Node
		}
	}
	return nil
}

// Pending lists a device's unconfirmed stanzas, oldest first.
func (w *World) Pending(of Address) []waBinary.Node {
	w.mu.Lock()
	defer w.mu.Unlock()
	device := w.device(of)
	if device == nil {
		return nil
	}
	nodes := make([]waBinary.Node, len(device.Queue))
	for i, queued := range device.Queue {
		nodes[i] = queued.Node
	}
	return nodes
}
