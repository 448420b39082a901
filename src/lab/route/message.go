package route

import (
	"slices"
	"strconv"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/oracle"
)

// Codes of acks that refuse a message.
const (
	codeNotMember        = 403
	codeUnknownRecipient = 404
	codeUnsupported      = 405
)

// Message routes a message from a device, and acks it once the oracle has it on
// disk. It fails only when the oracle does.
func (b *Board) Message(from *Line, node *waBinary.Node) error {
	to := node.AttrGetter().OptionalJIDOrEmpty("to")
	now := b.World.Now()
	if to.Server == types.GroupServer {
		return b.groupMessage(from, node, to, now)
	}
	if to.Server != types.DefaultUserServer && to.Server != types.HiddenUserServer {
		return b.Refuse(from, node, codeUnsupported)
	}
	recipient, err := b.World.Find(to)
	if err != nil {
		return b.Refuse(from, node, codeUnknownRecipient)
	}
	if err = b.Oracle.Commit(b.taken(oracle.Accepted, from, node)); err != nil {
		return err
	}
	addressed := addressees(node, to)
	for _, copied := range addressed {
		b.deliverCopy(from, node, copied, recipient, now)
	}
	from.Send(messageAck(node, now, waBinary.Attrs{"phash": b.staleDevices(from, node, to, addressed)}))
	return nil
}

// Refuse answers a message with an error number instead of routing it.
func (b *Board) Refuse(from *Line, node *waBinary.Node, code int) error {
	entry := b.taken(oracle.Refused, from, node)
	entry.Error = strconv.Itoa(code)
	if err := b.Oracle.Commit(entry); err != nil {
		return err
	}
	from.Send(messageAck(node, b.World.Now(), waBinary.Attrs{"error": code}))
	return nil
}

func messageAck(node *waBinary.Node, now time.Time, more waBinary.Attrs) waBinary.Node {
	return waBinary.Node{Tag: "ack", Attrs: with(waBinary.Attrs{
		"class": "message", "id": node.Attrs["id"], "from": node.Attrs["to"], "t": stamp(now),
	}, more)}
}

// taken describes a message that came from a device.
func (b *Board) taken(what oracle.What, from *Line, node *waBinary.Node) oracle.Entry {
	read := node.AttrGetter()
	to := read.OptionalJIDOrEmpty("to")
	peer := b.phoneOf(to)
	return oracle.Entry{
		What: what, Account: from.Address.Phone, Device: from.Address.Number,
		Connection: from.Login, Peer: peer,
		ID: read.OptionalString("id"), From: from.JID(b.spaceOf(to)).String(), To: text(to),
		Type: read.OptionalString("type"), Edit: read.OptionalString("edit"),
		OwnDevice: peer == from.Address.Phone,
	}
}

// addressee is one device a message is addressed to, with what is for it.
type addressee struct {
	jid        types.JID
	ciphertext []waBinary.Node
}

// addressees lists a message's copies. A message without participants (a peer
// message, the answer to a retry) is for the device it is addressed to.
func addressees(node *waBinary.Node, to types.JID) []addressee {
	participants, ok := node.GetOptionalChildByTag("participants")
	if !ok {
		return []addressee{{jid: to, ciphertext: node.GetChildrenByTag("enc")}}
	}
	var all []addressee
	for _, child := range participants.GetChildrenByTag("to") {
		jid := child.AttrGetter().OptionalJIDOrEmpty("jid")
		all = append(all, addressee{jid: jid, ciphertext: child.GetChildrenByTag("enc")})
	}
	return all
}

func (b *Board) deliverCopy(from *Line, node *waBinary.Node, to addressee, chat *model.Account, now time.Time) {
	address, err := b.World.Locate(to.jid)
	if err != nil || b.World.Blocks(address.Phone, from.Address.Phone) {
		return
	}
	own := address.Phone == from.Address.Phone
	b.Deliver(address, waBinary.Node{
		Tag:     "message",
		Attrs:   b.attrsFor(from, node, to.jid.Server, chat, own, now),
		Content: slices.Concat(to.ciphertext, companions(node, to.ciphertext)),
	})
}

// attrsFor addresses a copy, and adds the other identity of whom the reader may
// not know: of the sender, or for an own device of the chat.
func (b *Board) attrsFor(
	from *Line, node *waBinary.Node, server string, chat *model.Account, own bool, now time.Time,
) waBinary.Attrs {
	attrs := b.attrsOfAll(from, node, now)
	switch {
	case !own:
		addSender(attrs, from, server)
	case node.Attrs["category"] == "peer":
		attrs["from"] = from.JID(server)
	default:
		attrs["from"] = from.JID(server)
		addOwnRecipient(attrs, b.chatOf(node, chat), server)
	}
	if named, ok := attrs["from"].(types.JID); ok && named.Server == types.HiddenUserServer {
		attrs["addressing_mode"] = "lid"
	}
	return attrs
}

// attrsOfAll are the attributes that all copies have, to whomever they go.
func (b *Board) attrsOfAll(from *Line, node *waBinary.Node, now time.Time) waBinary.Attrs {
	return waBinary.Attrs{
		"id": node.Attrs["id"], "type": node.Attrs["type"], "edit": node.Attrs["edit"], "category": node.Attrs["category"],
		"t": stamp(now), "notify": b.World.Name(from.Address.Phone),
	}
}

// addSender names the sender to others, with the other name beside it.
func addSender(attrs waBinary.Attrs, from *Line, server string) {
	name := from.shown(server)
	attrs["from"] = name
	addBeside(attrs, "sender", from.Account, name.Server)
}

// addBeside tells the other name of an account than that in the space of
// server, unless it is to be known by one alone.
func addBeside(attrs waBinary.Attrs, whose string, account *model.Account, server string) {
	switch other := account.Beside(server); other.Server {
	case types.DefaultUserServer:
		attrs[whose+"_pn"] = other
	case types.HiddenUserServer:
		attrs[whose+"_lid"] = other
	}
}

// chatOf tells which chat a message to an own device belongs to. The answer to
// a retry of an own device is addressed to that device and names the chat.
func (b *Board) chatOf(node *waBinary.Node, chat *model.Account) *model.Account {
	named, err := b.World.Find(node.AttrGetter().OptionalJIDOrEmpty("recipient"))
	if err != nil {
		return chat
	}
	return named
}

func addOwnRecipient(attrs waBinary.Attrs, chat *model.Account, server string) {
	attrs["recipient"] = chat.In(server)
	if server == types.HiddenUserServer {
		attrs["peer_recipient_pn"] = chat.PN()
	} else {
		attrs["peer_recipient_lid"] = chat.LIDJID()
	}
}

// notForwarded are the children that concern the server or are dealt out
// device by device.
var notForwarded = []string{"participants", "enc", "tctoken", "cstoken", "reporting", "device-identity"}

// companions are the children that go along with every copy. The sender's
// identity goes only to those who start a session with it.
func companions(node *waBinary.Node, ciphertext []waBinary.Node) []waBinary.Node {
	var kept []waBinary.Node
	starts := slices.ContainsFunc(ciphertext, func(enc waBinary.Node) bool { return enc.Attrs["type"] == "pkmsg" })
	for _, child := range node.GetChildren() {
		if !slices.Contains(notForwarded, child.Tag) || (starts && child.Tag == "device-identity") {
			kept = append(kept, child)
		}
	}
	return kept
}
