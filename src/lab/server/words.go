package server

import waBinary "go.mau.fi/whatsmeow/binary"

// What a device can be told before its connection ends. A client that is told so
// has the farewell's time to close it itself.

// StreamEnd says that the stream ends, and not why.
func StreamEnd() waBinary.Node { return waBinary.Node{Tag: "xmlstreamend"} }

// Replaced says that the device is used elsewhere.
func Replaced() waBinary.Node { return conflict("replaced", "") }

// StreamError says a number.
func StreamError(code int) waBinary.Node {
	return waBinary.Node{Tag: "stream:error", Attrs: waBinary.Attrs{"code": code}}
}

// conflict is the last word to a line whose device is used elsewhere or gone.
func conflict(kind, code string) waBinary.Node {
	return waBinary.Node{
		Tag: "stream:error", Attrs: waBinary.Attrs{"code": code},
		Content: []waBinary.Node{{Tag: "conflict", Attrs: waBinary.Attrs{"type": kind}}},
	}
}
