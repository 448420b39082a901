package server

import (
	"context"
	"errors"

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
		if wanted.Frozen {
			line.Freeze()
		} else {
			line.Thaw()
		}
	}
	for device, acks := range s.faults.Release() {
		line := s.board.Line(device)
		for _, ack := range acks {
			if line != nil {
				line.Send(ack)
			}
		}
	}
}

// HeldAcks tells how many acks are held back from a device.
func (s *Server) HeldAcks(device model.Address) int { return s.faults.Held(device) }

// DropConnections closes the sockets of all devices of an account without a
// word, and returns how many there were.
func (s *Server) DropConnections(phone string) (int, error) {
	if _, err := s.world.Account(phone); err != nil {
		return 0, err
	}
	lines := s.board.Lines(phone)
	for _, line := range lines {
		line.Drop()
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
