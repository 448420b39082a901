// Package wire carries stanzas: it accepts the websocket, cuts frames out of
// it, and turns encrypted frames into nodes and back.
package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

const (
	prologueSize  = 4
	lengthSize    = 3
	largestFrame  = 16 << 20
	writeDeadline = 30 * time.Second
)

// prologue is what every client says first: "WA", the protocol's version and
// that of the dictionary.
var prologue = []byte{'W', 'A', 6, 3}

// ErrNotWhatsApp tells that a connection did not begin as a client's does.
var ErrNotWhatsApp = errors.New("the connection does not begin with the bytes WA 6 3")

// Frames is a websocket carrying frames, each led by three bytes of length. A
// frame may be split over several websocket messages or share one.
type Frames struct {
	socket *websocket.Conn
	rest   []byte
}

// Upgrade turns a request into a websocket. Any origin is welcome.
func Upgrade(w http.ResponseWriter, r *http.Request) (*Frames, error) {
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // concerns the Origin header alone, which is not ours to judge
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, err
	}
	socket.SetReadLimit(largestFrame)
	return &Frames{socket: socket}, nil
}

// ReadPrologue reads the bytes that precede the first frame.
func (f *Frames) ReadPrologue(ctx context.Context) ([]byte, error) {
	head, err := f.take(ctx, prologueSize)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(head, prologue) {
		return nil, ErrNotWhatsApp
	}
	return head, nil
}

// ReadFrame waits for the next whole frame. The caller owns the bytes.
func (f *Frames) ReadFrame(ctx context.Context) ([]byte, error) {
	length, err := f.take(ctx, lengthSize)
	if err != nil {
		return nil, err
	}
	return f.take(ctx, int(length[0])<<16|int(length[1])<<8|int(length[2]))
}

func (f *Frames) take(ctx context.Context, size int) ([]byte, error) {
	for len(f.rest) < size {
		kind, data, err := f.socket.Read(ctx)
		if err != nil {
			return nil, err
		}
		if kind != websocket.MessageBinary {
			return nil, fmt.Errorf("a websocket message of kind %v", kind)
		}
		f.rest = append(f.rest, data...)
	}
	taken := bytes.Clone(f.rest[:size])
	f.rest = f.rest[size:]
	return taken, nil
}

// WriteFrame sends one frame. It gives up after 30 seconds.
func (f *Frames) WriteFrame(ctx context.Context, frame []byte) error {
	if len(frame) >= largestFrame {
		return fmt.Errorf("a frame of %d bytes is too large", len(frame))
	}
	ctx, cancel := context.WithTimeout(ctx, writeDeadline)
	defer cancel()
	head := []byte{byte(len(frame) >> 16), byte(len(frame) >> 8), byte(len(frame))}
	return f.socket.Write(ctx, websocket.MessageBinary, append(head, frame...))
}

// Close ends the websocket at once, without a farewell.
func (f *Frames) Close() error { return f.socket.CloseNow() }
