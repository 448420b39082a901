package iq

import "wagate.dev/src/lab/model"

// session answers what concerns the connection itself.
func (r *Router) session() map[string]answer {
	return map[string]answer{
		"get w:p":                             empty,
		"get w:p ping":                        empty,
		"set passive active":                  r.activate,
		"set passive passive":                 r.deactivate,
		"get abt props":                       empty,
		"set md remove-companion-device":      r.removeCompanion,
		"set urn:xmpp:whatsapp:dirty clean":   empty,
		"set urn:xmpp:whatsapp:push config":   empty,
		"get urn:xmpp:whatsapp:push settings": empty,
		"set w:stats":                         empty,
	}
}

func (r *Router) activate(query Query) Reply {
	return Reply{Then: func() { r.board.Activate(query.Line) }}
}

func (r *Router) deactivate(query Query) Reply {
	r.board.Deactivate(query.Line)
	return Reply{}
}

// removeCompanion logs out the asking device or another one of its account.
func (r *Router) removeCompanion(query Query) Reply {
	jid := query.Child.AttrGetter().OptionalJIDOrEmpty("jid")
	account, err := r.world.Find(jid)
	if err != nil || account.Phone != query.Line.Address.Phone {
		return refuse(forbidden)
	}
	if err = r.world.Unlink(model.Address{Phone: account.Phone, Number: jid.Device}); err != nil {
		return refuse(notFound)
	}
	return Reply{Then: func() { r.unlink(account, jid.Device) }}
}
