package iq

import (
	"strings"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
)

// usync answers what clients want to know about users.
func (r *Router) usync() map[string]answer {
	return map[string]answer{"get usync usync": r.sync}
}

func (r *Router) sync(query Query) Reply {
	asked, list := query.Child.GetChildByTag("query"), query.Child.GetChildByTag("list")
	var users []waBinary.Node
	for _, user := range list.GetChildrenByTag("user") {
		users = append(users, r.user(query.Line.Address.Phone, user, asked.GetChildren()))
	}
	return content(waBinary.Node{
		Tag: "usync", Attrs: query.Child.Attrs,
		Content: []waBinary.Node{{Tag: "result"}, {Tag: "list", Content: users}},
	})
}

// user answers for one user, in the address space it was asked in.
func (r *Router) user(asker string, user waBinary.Node, asked []waBinary.Node) waBinary.Node {
	if contact, ok := user.GetOptionalChildByTag("contact"); ok {
		return r.contact(contact, asked)
	}
	jid := user.AttrGetter().OptionalJIDOrEmpty("jid").ToNonAD()
	reply := waBinary.Node{Tag: "user", Attrs: waBinary.Attrs{"jid": jid}}
	account, err := r.world.Find(jid)
	if err != nil {
		return reply
	}
	reply.Content = r.facts(asker, account, jid.Server, asked)
	return reply
}

func (r *Router) facts(asker string, account *model.Account, server string, asked []waBinary.Node) []waBinary.Node {
	var facts []waBinary.Node
	for _, protocol := range asked {
		switch protocol.Tag {
		case "devices":
			r.world.Watch(account.Phone, asker)
			facts = append(facts, r.devices(account))
		case "lid":
			facts = append(facts, waBinary.Node{Tag: "lid", Attrs: waBinary.Attrs{"val": account.LIDJID()}})
		case "contact":
			facts = append(facts, waBinary.Node{Tag: "contact", Attrs: waBinary.Attrs{"type": "in"}})
		case "status", "disappearing_mode":
			facts = append(facts, waBinary.Node{Tag: protocol.Tag})
		}
	}
	return facts
}

func (r *Router) devices(account *model.Account) waBinary.Node {
	list := []waBinary.Node{{Tag: "device", Attrs: waBinary.Attrs{"id": 0}}}
	devices, err := r.world.Devices(account.Phone)
	if err != nil {
		devices = nil
	}
	for _, device := range devices {
		list = append(list, waBinary.Node{
			Tag: "device", Attrs: waBinary.Attrs{"id": int(device.Number), "key-index": device.KeyIndex},
		})
	}
	return waBinary.Node{Tag: "devices", Content: []waBinary.Node{{Tag: "device-list", Content: list}}}
}

// contact answers whether a phone number belongs to an account. With
// addressing_mode=lid the account is told by both its addresses.
func (r *Router) contact(contact waBinary.Node, asked []waBinary.Node) waBinary.Node {
	number, _, _ := strings.Cut(strings.TrimPrefix(string(bytesOf(contact)), "+"), "@")
	jid := types.NewJID(number, types.DefaultUserServer)
	reply := waBinary.Node{Tag: "user", Attrs: waBinary.Attrs{"jid": jid}}
	kind := "out"
	if account, err := r.world.Account(number); err == nil {
		kind = "in"
		if wantsLID(asked) {
			reply.Attrs = waBinary.Attrs{"jid": account.LIDJID(), "pn_jid": account.PN()}
		}
	}
	reply.Content = []waBinary.Node{{
		Tag: "contact", Attrs: waBinary.Attrs{"type": kind}, Content: bytesOf(contact),
	}}
	return reply
}

func wantsLID(asked []waBinary.Node) bool {
	for _, protocol := range asked {
		if protocol.Tag == "contact" {
			return protocol.Attrs["addressing_mode"] == "lid"
		}
	}
	return false
}
