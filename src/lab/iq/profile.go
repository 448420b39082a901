package iq

import waBinary "go.mau.fi/whatsmeow/binary"

// profile answers for accounts that have neither picture nor business.
func (r *Router) profile() map[string]answer {
	return map[string]answer{
		"get w:profile:picture picture": func(Query) Reply { return refuse(notFound) },
		"get w:biz business_profile":    r.businessProfile,
	}
}

func (r *Router) businessProfile(query Query) Reply {
	asked := query.Child.GetChildByTag("profile")
	return content(waBinary.Node{Tag: "business_profile", Content: []waBinary.Node{{
		Tag: "profile", Attrs: waBinary.Attrs{"jid": asked.Attrs["jid"]},
	}}})
}
