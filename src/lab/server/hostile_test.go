package server_test

import (
	"testing"

	"github.com/coder/websocket"

	"wagate.dev/src/lab/labtest"
)

// A frame that says it holds a handshake message, and what it holds instead.
var malformedOpenings = [][]byte{
	[]byte("GET / HTTP/1.1"),
	{'W', 'A', 6, 2, 0, 0, 0},
	{'W', 'A', 6, 3, 0, 0, 0},
	{'W', 'A', 6, 3, 0, 0, 3, 255, 255, 255},
	{'W', 'A', 6, 3, 0, 0, 4, 0x12, 2, 0x0a, 0}, // a hello without a key
}

func TestMalformedOpeningsEndTheirOwnConnectionOnly(t *testing.T) {
	lab := labtest.Start(t)
	for _, opening := range malformedOpenings {
		ctx := within(t)
		socket, _, err := websocket.Dial(ctx, "wss://"+lab.Address()+"/ws/chat", &websocket.DialOptions{HTTPClient: lab.HTTPClient()})
		if err != nil {
			t.Fatal(err)
		}
		if err = socket.Write(ctx, websocket.MessageBinary, opening); err != nil {
			t.Fatal(err)
		}
		if _, _, err = socket.Read(ctx); err == nil || ctx.Err() != nil {
			t.Errorf("%q was answered: %v", opening, err)
		}
	}
	lab.Pair(lab.Account(ada, "Ada"))
	if lab.Connections() == 0 {
		t.Error("nobody is connected")
	}
}
