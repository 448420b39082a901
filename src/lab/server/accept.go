package server

import (
	"net/http"
	"runtime/debug"

	"wagate.dev/src/lab/noise"
	"wagate.dev/src/lab/wire"
)

// accept serves one client from the websocket's opening to its end. A panic
// ends that client's connection only.
func (s *Server) accept(w http.ResponseWriter, r *http.Request) {
	if !s.letIn() {
		return
	}
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
	tap := newTap(s)
	conn := wire.NewConn(s.ctx, frames, opened.Transport, func() wire.Gate { return tap })
	tap.send = conn.Send
	defer conn.Close()
	if opened.Payload.Username == nil {
		s.register(conn, opened)
	} else {
		s.login(conn, tap, opened)
	}
}

// letIn counts a client in, who is waited for in the end. It is false once that has begun.
func (s *Server) letIn() bool {
	s.door.Lock()
	defer s.door.Unlock()
	if s.ctx.Err() != nil {
		return false
	}
	s.clients.Add(1)
	return true
}

func (s *Server) handshake(frames *wire.Frames) (*noise.Opened, error) {
	prologue, err := frames.ReadPrologue(s.ctx)
	if err != nil {
		return nil, err
	}
	return s.trust.Load().noise.Open(s.ctx, frames, prologue)
}
