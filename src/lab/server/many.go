package server

import (
	"errors"
	"fmt"

	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/route"
)

// ErrRefused tells that the server did not take a message.
var ErrRefused = errors.New("the lab refused the message")

// TakeMany takes messages of a device that is online as if it had sent them one
// after the other, up to the first that is refused. There are no acks.
func (s *Server) TakeMany(device model.Address, messages []waBinary.Node) error {
	line := s.board.Line(device)
	if line == nil {
		return ErrOffline
	}
	for i := range messages {
		if code := s.refusal(line, &messages[i]); code != 0 {
			return s.takeUntil(line, messages, i, code)
		}
	}
	return s.board.Messages(line, messages)
}

func (s *Server) takeUntil(line *route.Line, messages []waBinary.Node, refused, code int) error {
	if err := s.board.Messages(line, messages[:refused]); err != nil {
		return err
	}
	if err := s.board.Refuse(line, &messages[refused], code); err != nil {
		return err
	}
	return fmt.Errorf("%w with %d", ErrRefused, code)
}
