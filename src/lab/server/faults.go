package server

import (
	"errors"

	"wagate.dev/src/lab/model"
)

// ErrOffline tells that a device has no connection to do something with.
var ErrOffline = errors.New("the device is not online")

// Freeze stops reading from and answering to a device while its socket stays
// open, until Thaw or until the device connects anew.
func (s *Server) Freeze(phone string, number uint16) error {
	line := s.board.Line(model.Address{Phone: phone, Number: number})
	if line == nil {
		return ErrOffline
	}
	line.Freeze()
	return nil
}

// Thaw ends a freeze; what was held goes on in order.
func (s *Server) Thaw(phone string, number uint16) error {
	line := s.board.Line(model.Address{Phone: phone, Number: number})
	if line == nil {
		return ErrOffline
	}
	line.Thaw()
	return nil
}

// Drop closes a device's socket without a word.
func (s *Server) Drop(phone string, number uint16) error {
	line := s.board.Line(model.Address{Phone: phone, Number: number})
	if line == nil {
		return ErrOffline
	}
	line.Drop()
	return nil
}

// HoldAcks keeps back the acks of the messages a device sends from now on. The
// messages themselves go on to whom they are for.
func (s *Server) HoldAcks(phone string, number uint16) {
	s.faults.Gate(model.Address{Phone: phone, Number: number}).HoldAcks()
}

// HeldAcks tells how many acks are kept back from a device.
func (s *Server) HeldAcks(phone string, number uint16) int {
	return s.faults.Gate(model.Address{Phone: phone, Number: number}).Held()
}

// ReleaseAcks ends HoldAcks, sends what was kept in order and returns how many
// acks that were. While the device is offline they are lost.
func (s *Server) ReleaseAcks(phone string, number uint16) int {
	address := model.Address{Phone: phone, Number: number}
	acks := s.faults.Gate(address).ReleaseAcks()
	line := s.board.Line(address)
	if line == nil {
		return 0
	}
	for _, ack := range acks {
		line.Send(ack)
	}
	return len(acks)
}
