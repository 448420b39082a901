package server

import (
	"net/http"
	"runtime/debug"
	"sync/atomic"

	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/noise"
	"wagate.dev/src/lab/wire"
)

// accept serves one client from the websocket's opening to its end. A panic
// ends that client's connection only.
func (s *Server) accept(w http.ResponseWriter, r *http.Request) {
	s.clients.Add(1)
	defer s.clients.Done()
	s.open.Add(1)
	defer s.open.Add(-1)
	defer func() {
		if cause := recover(); cause != nil {
			s.options.Log.Error("a connection ended in a panic", "cause", cause, "stack", string(debug.Stack()))
		}
	}()
	frames, err := wire.Upgrade(w, r)
	if err != nil {
		s.options.Log.Warn("no websocket", "error", err)
		return
	}
	defer func() { _ = frames.Close() }() // usually closed before
	opened, err := s.handshake(frames)
	if err != nil {
		s.options.Log.Warn("no handshake", "error", err)
		return
	}
	tap := &tap{server: s}
	conn := wire.NewConn(s.ctx, frames, opened.Transport, func() wire.Gate { return tap })
	defer conn.Close()
	if opened.Payload.Username == nil {
		s.register(conn, opened)
	} else {
		s.login(conn, tap, opened)
	}
}

func (s *Server) handshake(frames *wire.Frames) (*noise.Opened, error) {
	prologue, err := frames.ReadPrologue(s.ctx)
	if err != nil {
		return nil, err
	}
	return s.trust.Load().noise.Open(s.ctx, frames, prologue)
}

// tap remembers every stanza in the ring and asks the faults of the device
// whether one may leave. Before login there is no device and all pass.
type tap struct {
	server *Server
	device atomic.Pointer[model.Address]
}

func (t *tap) Incoming(node *waBinary.Node) bool {
	t.record(node, true)
	return true
}

func (t *tap) Outgoing(node *waBinary.Node) bool {
	device := t.device.Load()
	if device != nil && !t.server.faults.Outgoing(*device, node) {
		return false
	}
	t.record(node, false)
	return true
}

func (t *tap) record(node *waBinary.Node, incoming bool) {
	stanza := Stanza{Time: t.server.world.Now(), Incoming: incoming, Node: *node}
	if device := t.device.Load(); device != nil {
		stanza.Device = *device
	}
	t.server.ring.add(stanza)
}
