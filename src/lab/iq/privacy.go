package iq

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
)

// privacy answers what concerns settings, blocked contacts and trust tokens.
func (r *Router) privacy() map[string]answer {
	return map[string]answer{
		"get privacy privacy":                     r.privacySettings,
		"set privacy privacy":                     r.changePrivacy,
		"set privacy tokens":                      r.giveTokens,
		"get blocklist":                           r.blocklist,
		"set blocklist item":                      r.changeBlocklist,
		"get status privacy":                      r.statusPrivacy,
		"set disappearing_mode disappearing_mode": empty,
	}
}

func (r *Router) privacySettings(query Query) Reply {
	var categories []waBinary.Node
	for _, setting := range r.world.Privacy(query.Line.Address.Phone) {
		categories = append(categories, waBinary.Node{
			Tag: "category", Attrs: waBinary.Attrs{"name": setting.Name, "value": setting.Value},
		})
	}
	return content(waBinary.Node{Tag: "privacy", Content: categories})
}

func (r *Router) changePrivacy(query Query) Reply {
	for _, category := range query.Child.GetChildrenByTag("category") {
		read := category.AttrGetter()
		r.world.SetPrivacy(query.Line.Address.Phone, model.Setting{
			Name: read.OptionalString("name"), Value: read.OptionalString("value"),
		})
	}
	return Reply{}
}

// giveTokens makes a token for each contact named and hands it to them.
func (r *Router) giveTokens(query Query) Reply {
	for _, token := range query.Child.GetChildrenByTag("token") {
		read := token.AttrGetter()
		account, err := r.world.Find(read.OptionalJIDOrEmpty("jid"))
		if err != nil {
			continue
		}
		secret := make([]byte, 32)
		_, _ = rand.Read(secret) // never fails: crypto/rand aborts the program instead
		r.board.Announce(account, "privacy_token", query.Line.Account.PN(),
			waBinary.Attrs{"sender_lid": query.Line.Account.LIDJID()},
			waBinary.Node{Tag: "tokens", Content: []waBinary.Node{{
				Tag: "token", Attrs: waBinary.Attrs{"type": "trusted_contact", "t": read.OptionalString("t")}, Content: secret,
			}}})
	}
	return Reply{}
}

func (r *Router) blocklist(query Query) Reply {
	blocked := r.world.Blocklist(query.Line.Address.Phone)
	digest := sha256.Sum256([]byte(strings.Join(blocked, ",")))
	list := waBinary.Node{Tag: "list", Attrs: waBinary.Attrs{
		"dhash": base64.RawURLEncoding.EncodeToString(digest[:6]),
	}}
	var items []waBinary.Node
	for _, phone := range blocked {
		jid := types.NewJID(phone, types.DefaultUserServer)
		items = append(items, waBinary.Node{Tag: "item", Attrs: waBinary.Attrs{"jid": jid}})
	}
	if items != nil {
		list.Content = items
	}
	return content(list)
}

func (r *Router) changeBlocklist(query Query) Reply {
	read := query.Child.AttrGetter()
	other, err := r.world.Find(read.OptionalJIDOrEmpty("jid"))
	if err != nil {
		return refuse(notFound)
	}
	r.world.SetBlocked(query.Line.Address.Phone, other.Phone, read.OptionalString("action") == "block")
	return r.blocklist(query)
}

func (r *Router) statusPrivacy(Query) Reply {
	list := waBinary.Node{Tag: "list", Attrs: waBinary.Attrs{"type": "contacts", "default": true}}
	return content(waBinary.Node{Tag: "privacy", Content: []waBinary.Node{list}})
}
