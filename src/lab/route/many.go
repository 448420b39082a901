package route

import (
	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/oracle"
)

// Messages routes many messages of one device to accounts, without acks: all are
// on disk before the first is delivered. What is addressed to nobody is passed
// over.
func (b *Board) Messages(from *Line, nodes []waBinary.Node) error {
	known := make([]waBinary.Node, 0, len(nodes))
	for _, node := range nodes {
		if _, err := b.World.Find(node.AttrGetter().OptionalJIDOrEmpty("to")); err == nil {
			known = append(known, node)
		}
	}
	for i, node := range known {
		entry := b.taken(oracle.Accepted, from, &node)
		if i < len(known)-1 {
			b.Oracle.Note(entry)
		} else if err := b.Oracle.Commit(entry); err != nil {
			return err
		}
	}
	now := b.World.Now()
	for _, node := range known {
		to := node.AttrGetter().OptionalJIDOrEmpty("to")
		recipient, err := b.World.Find(to)
		if err != nil {
			continue
		}
		for _, copied := range addressees(&node, to) {
			b.deliverCopy(from, &node, copied, recipient, now)
		}
	}
	return nil
}
