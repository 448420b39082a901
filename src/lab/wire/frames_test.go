package wire_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"

	"wagate.dev/src/lab/wire"
)

// talk connects a websocket to frames; the client's end says what it likes.
func talk(t *testing.T) (ctx context.Context, client *websocket.Conn, frames *wire.Frames) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	accepted := make(chan *wire.Frames, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		frames, err := wire.Upgrade(w, r)
		if err != nil {
			t.Error(err)
		}
		accepted <- frames
	}))
	t.Cleanup(server.Close)
	client, _, err := websocket.Dial(ctx, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.CloseNow() }) // closed already by some tests
	return ctx, client, <-accepted
}

func TestFramesMayBeSplitAndPacked(t *testing.T) {
	ctx, client, frames := talk(t)
	large := bytes.Repeat([]byte("x"), 70_000)
	stream := append([]byte("WA\x06\x03\x00\x00\x03one\x00\x00\x00\x00\x00\x03two\x01\x11\x70"), large...)
	for _, size := range []int{1, 5, 4, 7, 3, 100, len(stream)} {
		piece := stream[:min(size, len(stream))]
		if err := client.Write(ctx, websocket.MessageBinary, piece); err != nil {
			t.Fatal(err)
		}
		stream = stream[len(piece):]
	}
	if _, err := frames.ReadPrologue(ctx); err != nil {
		t.Fatal(err)
	}
	for _, wanted := range [][]byte{[]byte("one"), {}, []byte("two"), large} {
		if frame, err := frames.ReadFrame(ctx); err != nil || !bytes.Equal(frame, wanted) {
			t.Fatalf("%d bytes, %v", len(frame), err)
		}
	}
}

func TestAFrameIsLedByItsLength(t *testing.T) {
	ctx, client, frames := talk(t)
	if err := frames.WriteFrame(ctx, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, data, err := client.Read(ctx); err != nil || string(data) != "\x00\x00\x05hello" {
		t.Fatalf("%q %v", data, err)
	}
}

func TestAnotherProtocolIsRecognised(t *testing.T) {
	ctx, client, frames := talk(t)
	if err := client.Write(ctx, websocket.MessageBinary, []byte("SSH-")); err != nil {
		t.Fatal(err)
	}
	if _, err := frames.ReadPrologue(ctx); !errors.Is(err, wire.ErrNotWhatsApp) {
		t.Fatal(err)
	}
}
