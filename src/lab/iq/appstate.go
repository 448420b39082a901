package iq

import waBinary "go.mau.fi/whatsmeow/binary"

// appState answers that every collection is up to date: nothing has ever been
// written to one, and a patch is refused.
func (r *Router) appState() map[string]answer {
	return map[string]answer{"set w:sync:app:state sync": syncCollections}
}

func syncCollections(query Query) Reply {
	var collections []waBinary.Node
	for _, collection := range query.Child.GetChildrenByTag("collection") {
		if _, patched := collection.GetOptionalChildByTag("patch"); patched {
			return refuse(notImplemented)
		}
		read := collection.AttrGetter()
		collections = append(collections, waBinary.Node{Tag: "collection", Attrs: waBinary.Attrs{
			"name": read.OptionalString("name"), "version": read.OptionalInt("version"),
		}})
	}
	return content(waBinary.Node{Tag: "sync", Content: collections})
}
