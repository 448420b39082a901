package iq

import waBinary "go.mau.fi/whatsmeow/binary"

// Seconds for which a client may use what media_conn told it.
const mediaLife = 3600

// media tells clients where files go. Until the lab stores files, the host it
// names answers every request for one with 404.
func (r *Router) media() map[string]answer {
	return map[string]answer{"set w:m media_conn": mediaConn}
}

func mediaConn(Query) Reply {
	return content(waBinary.Node{
		Tag: "media_conn",
		Attrs: waBinary.Attrs{
			"auth": "lab", "ttl": mediaLife, "auth_ttl": mediaLife, "max_buckets": 12,
		},
		Content: []waBinary.Node{{Tag: "host", Attrs: waBinary.Attrs{"hostname": "mmg.whatsapp.net"}}},
	})
}
