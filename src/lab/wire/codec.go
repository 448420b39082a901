package wire

import (
	"errors"
	"fmt"

	waBinary "go.mau.fi/whatsmeow/binary"
)

// Encode turns a node into the bytes of a frame, uncompressed. The codec
// panics on attribute values it does not know; Encode returns that as an error.
func Encode(node waBinary.Node) (data []byte, err error) {
	defer caught(&err)
	return waBinary.Marshal(node)
}

// Decode turns the bytes of a frame into a node. The node's contents point
// into data. Malformed bytes are an error, never a panic.
func Decode(data []byte) (node *waBinary.Node, err error) {
	if len(data) == 0 {
		return nil, errors.New("an empty frame")
	}
	defer caught(&err)
	unpacked, err := waBinary.Unpack(data)
	if err != nil {
		return nil, err
	}
	return waBinary.Unmarshal(unpacked)
}

func caught(err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("malformed stanza: %v", cause)
	}
}
