package iq

import (
	"errors"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
)

// fewPreKeys is the number of one-time keys at which a device is asked for more;
// whatsmeow heeds that below 5.
const fewPreKeys = 4

// djbType marks Curve25519 keys.
var djbType = []byte{5}

var errMalformedKey = errors.New("a malformed prekey")

// encrypt answers what concerns keys.
func (r *Router) encrypt() map[string]answer {
	return map[string]answer{
		"get encrypt count":        r.countPreKeys,
		"get encrypt digest":       func(Query) Reply { return content(waBinary.Node{Tag: "digest"}) },
		"get encrypt key":          r.bundles,
		"set encrypt registration": r.uploadPreKeys,
		"set encrypt rotate":       r.rotateSignedPreKey,
	}
}

func (r *Router) countPreKeys(query Query) Reply {
	count := r.world.PreKeyCount(query.Line.Address)
	return content(waBinary.Node{Tag: "count", Attrs: waBinary.Attrs{"value": count}})
}

func (r *Router) uploadPreKeys(query Query) Reply {
	signed, err := readPreKey(query.Node.GetChildByTag("skey"))
	if err != nil {
		return refuse(badRequest)
	}
	list := query.Node.GetChildByTag("list")
	var oneTime []model.PreKey
	for _, child := range list.GetChildrenByTag("key") {
		key, err := readPreKey(child)
		if err != nil {
			return refuse(badRequest)
		}
		oneTime = append(oneTime, key)
	}
	registration := bytesOf(query.Node.GetChildByTag("registration"))
	if err = r.world.AddPreKeys(query.Line.Address, registration, signed, oneTime); err != nil {
		return refuse(forbidden)
	}
	return Reply{}
}

func (r *Router) rotateSignedPreKey(query Query) Reply {
	signed, err := readPreKey(query.Child.GetChildByTag("skey"))
	if err != nil {
		return refuse(badRequest)
	}
	if err = r.world.ReplaceSignedPreKey(query.Line.Address, signed); err != nil {
		return refuse(forbidden)
	}
	return Reply{}
}

func readPreKey(node waBinary.Node) (model.PreKey, error) {
	key := model.PreKey{
		ID:        bytesOf(node.GetChildByTag("id")),
		Public:    bytesOf(node.GetChildByTag("value")),
		Signature: bytesOf(node.GetChildByTag("signature")),
	}
	if len(key.ID) != 3 || len(key.Public) != 32 || (node.Tag == "skey" && len(key.Signature) != 64) {
		return model.PreKey{}, errMalformedKey
	}
	return key, nil
}

// bundles hands out keys to start encrypted sessions with.
func (r *Router) bundles(query Query) Reply {
	var users []waBinary.Node
	for _, user := range query.Child.GetChildrenByTag("user") {
		users = append(users, r.bundle(user.AttrGetter().OptionalJIDOrEmpty("jid")))
	}
	return content(waBinary.Node{Tag: "list", Content: users})
}

func (r *Router) bundle(jid types.JID) waBinary.Node {
	user := waBinary.Node{Tag: "user", Attrs: waBinary.Attrs{"jid": jid}}
	address, err := r.world.Locate(jid)
	if err != nil {
		user.Content = []waBinary.Node{{Tag: "error", Attrs: waBinary.Attrs{"code": 404, "text": "item-not-found"}}}
		return user
	}
	bundle, left, err := r.world.TakeBundle(address)
	if err != nil {
		user.Content = []waBinary.Node{{Tag: "error", Attrs: waBinary.Attrs{"code": 404, "text": "item-not-found"}}}
		return user
	}
	if bundle.OneTime != nil && left == fewPreKeys {
		r.board.TellPreKeysLow(address, left)
	}
	user.Attrs["t"] = r.world.Now().Unix()
	user.Content = bundleNodes(bundle)
	return user
}

func bundleNodes(bundle model.Bundle) []waBinary.Node {
	nodes := []waBinary.Node{
		{Tag: "registration", Content: bundle.Registration},
		{Tag: "type", Content: djbType},
		{Tag: "identity", Content: bundle.Identity},
		preKeyNode("skey", bundle.Signed),
	}
	if bundle.OneTime != nil {
		nodes = append(nodes, preKeyNode("key", *bundle.OneTime))
	}
	return nodes
}

func preKeyNode(tag string, key model.PreKey) waBinary.Node {
	parts := []waBinary.Node{{Tag: "id", Content: key.ID}, {Tag: "value", Content: key.Public}}
	if key.Signature != nil {
		parts = append(parts, waBinary.Node{Tag: "signature", Content: key.Signature})
	}
	return waBinary.Node{Tag: tag, Content: parts}
}
