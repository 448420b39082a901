package server

import (
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
)

// CreateGroup lets the creator's phone make a group, of which all members are
// told. With keysOnce each device gets a sender's key with the first message
// alone. Clients make groups as well, by asking; those are addressed by LID.
func (s *Server) CreateGroup(
	creator, subject string, others []string, addressing types.AddressingMode, keysOnce bool,
) (model.Group, error) {
	account, err := s.world.Account(creator)
	if err != nil {
		return model.Group{}, err
	}
	group, err := s.world.CreateGroup(creator, subject, others, addressing, keysOnce)
	if err == nil {
		s.board.TellGroup(group, account, group.Members)
	}
	return group, err
}

// ChangeMembers lets the phone of a group's creator add accounts to it, and take
// others out. Who is in there already, or is not, stays so.
func (s *Server) ChangeMembers(id types.JID, join, leave []string) (model.Group, error) {
	group, err := s.world.Group(id)
	if err != nil {
		return group, err
	}
	creator, err := s.world.Account(group.Creator)
	if err != nil {
		return group, err
	}
	for _, phone := range join {
		if _, err = s.world.Account(phone); err != nil {
			return group, err
		}
	}
	s.board.Admit(group, creator, join)
	s.board.Dismiss(group, creator, leave)
	return s.world.Group(id)
}

// Group finds a group.
func (s *Server) Group(id types.JID) (model.Group, error) { return s.world.Group(id) }

// Groups lists all groups, oldest first.
func (s *Server) Groups() []model.Group { return s.world.Groups("") }
