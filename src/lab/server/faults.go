package server

import (
	"context"
	"errors"

	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/fault"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/route"
)

// ErrOffline tells that a device has no connection to do something with.
var ErrOffline = errors.New("the device is not online")

// SetFault makes something go wrong for all devices of an account, in place of
// what was set before; the zero fault ends it.
func (s *Server) SetFault(phone string, wanted fault.Fault) error {
	if _, err := s.world.Account(phone); err != nil {
		return err
	}
	s.setFault(model.Address{Phone: phone}, s.board.Lines(phone), wanted)
	return nil
}

// SetDeviceFault is SetFault for one device only, beside what is set for its
// account.
func (s *Server) SetDeviceFault(device model.Address, wanted fault.Fault) {
	var lines []*route.Line
	if line := s.board.Line(device); line != nil {
		lines = append(lines, line)
	}
	s.setFault(device, lines, wanted)
}

func (s *Server) setFault(at model.Address, lines []*route.Line, wanted fault.Fault) {
	s.faults.Set(at, wanted)
	for _, line := range lines {
		line.Slow(s.faults.Delays(line.Address))
		if wanted.Frozen {
			line.Freeze()
		} else {
			line.Thaw()
		}
	}
	s.faults.Release()
}

// HeldAcks tells how many acks are held back from a device.
func (s *Server) HeldAcks(device model.Address) int { return s.faults.Held(device) }

// DropConnections ends the connections of all devices of an account, and returns
// how many there were: without a word, or with a last one.
func (s *Server) DropConnections(phone string, lastWord *waBinary.Node) (int, error) {
	if _, err := s.world.Account(phone); err != nil {
		return 0, err
	}
	lines := s.board.Lines(phone)
	for _, line := range lines {
		if lastWord == nil {
			line.Drop()
		} else {
			line.End(*lastWord, s.options.Farewell)
		}
	}
	return len(lines), nil
}

// Drop closes the socket of one device without a word.
func (s *Server) Drop(device model.Address) error {
	line := s.board.Line(device)
	if line == nil {
		return ErrOffline
	}
	line.Drop()
	return nil
}

// AwaitOffline waits until a device has no connection.
func (s *Server) AwaitOffline(ctx context.Context, device model.Address) error {
	return s.board.AwaitOffline(ctx, device)
}
