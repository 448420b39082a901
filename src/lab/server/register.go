package server

import (
	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/iq"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/noise"
	"wagate.dev/src/lab/oracle"
	"wagate.dev/src/lab/wire"
)

// register serves a client that is not linked yet.
func (s *Server) register(conn *wire.Conn, opened *noise.Opened) {
	candidate, err := s.desk.Welcome(conn, opened.ClientStatic, opened.Payload.GetDevicePairingData())
	if err != nil {
		s.options.Log.Warn("a client cannot be linked", "error", err)
		return
	}
	defer s.desk.Leave(candidate)
	for {
		node, err := conn.Receive()
		if err != nil {
			return
		}
		if !candidate.Take(node) {
			s.answerStranger(conn, node)
		}
	}
}

// answerStranger answers what a client asks that has no account yet.
func (s *Server) answerStranger(conn *wire.Conn, node *waBinary.Node) {
	switch {
	case node.Tag != "iq":
	case node.Attrs["xmlns"] == "w:p":
		conn.Send(iq.Result(node))
	default:
		s.iq.Unknown(node)
		conn.Send(iq.NotImplemented(node))
	}
}

func (s *Server) deviceLinked(account *model.Account, number uint16) {
	s.oracle.Note(oracle.Entry{What: oracle.Linked, Account: account.Phone, Device: number})
	s.board.TellDevicesChanged(account, "add", number)
}

// deviceLoggedOut is called for a device that left its account by itself.
func (s *Server) deviceLoggedOut(account *model.Account, number uint16) {
	s.oracle.Note(oracle.Entry{What: oracle.Unlinked, Account: account.Phone, Device: number})
	s.board.TellDevicesChanged(account, "remove", number)
}
