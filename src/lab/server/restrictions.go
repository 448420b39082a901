package server

import (
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/fault"
	"wagate.dev/src/lab/route"
)

// codeReachoutLocked refuses a message that would begin a chat.
const codeReachoutLocked = 463

// Ban forbids an account everything until then: its connections end, and its
// logins are refused. reason is a number of the protocol; 0 is the usual one.
func (s *Server) Ban(phone string, until time.Time, reason int) error {
	if _, err := s.world.Account(phone); err != nil {
		return err
	}
	if reason == 0 {
		reason = banTooManyPeople
	}
	s.restrictions.Ban(phone, fault.Ban{Until: until, Reason: reason})
	for _, line := range s.board.Lines(phone) {
		line.End(StreamEnd(), 0)
	}
	return nil
}

// LockReachout forbids an account to begin chats until then; a zero time means
// until it is lifted.
func (s *Server) LockReachout(phone string, until time.Time) error {
	account, err := s.world.Account(phone)
	if err != nil {
		return err
	}
	s.restrictions.Lock(phone, fault.Lock{Until: until})
	s.tellLock(account, lockState{Active: true, Ends: s.told(until), Enforcement: lockEnforcement})
	return nil
}

// LiftRestrictions ends an account's ban and reach-out lock.
func (s *Server) LiftRestrictions(phone string) error {
	account, err := s.world.Account(phone)
	if err == nil && s.restrictions.Lift(phone) {
		s.tellLock(account, lockState{})
	}
	return err
}

// refusal is the number that a message from a device is refused with, 0 for
// none. A message that is not refused makes a chat.
func (s *Server) refusal(line *route.Line, node *waBinary.Node) int {
	if code := s.faults.Incoming(line.Address, node); code != 0 {
		return code
	}
	peer, err := s.world.Find(node.AttrGetter().OptionalJIDOrEmpty("to"))
	if err != nil {
		return 0 // a group, or nobody
	}
	phone := line.Address.Phone
	if _, locked := s.restrictions.Locked(phone); locked && !s.world.Chatted(phone, peer.Phone) {
		return codeReachoutLocked
	}
	s.world.Chat(phone, peer.Phone)
	return 0
}
