package server

import (
	"math"
	"strconv"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/noise"
	"wagate.dev/src/lab/oracle"
	"wagate.dev/src/lab/route"
	"wagate.dev/src/lab/wire"
)

// Why a login is refused.
const (
	reasonLoggedOut = 401 // the device is not linked (any more)
	reasonBanned    = 402
)

// banTooManyPeople is the number of a ban for writing to too many people.
const banTooManyPeople = 101

// login serves a client that says it is linked.
func (s *Server) login(conn *wire.Conn, tap *tap, opened *noise.Opened) {
	phone := strconv.FormatUint(opened.Payload.GetUsername(), 10)
	address := model.Address{Phone: phone, Number: uint16(opened.Payload.GetDevice())}
	account, err := s.world.Account(phone)
	if err != nil || !s.world.Linked(address, opened.ClientStatic) {
		s.dismiss(conn, waBinary.Attrs{"reason": reasonLoggedOut})
		return
	}
	if left, reason := s.restrictions.Banned(phone); left > 0 {
		s.dismiss(conn, banned(left, reason))
		return
	}
	if code, ban := s.faults.LoginFailure(address); code != 0 {
		s.dismiss(conn, failure(code, ban))
		return
	}
	if s.faults.Unreachable(address) {
		s.ignore(conn)
		return
	}
	tap.device.Store(&address)
	line := route.NewLine(account, address.Number, s.logins.Add(1), conn)
	if replaced := s.board.Enter(line); replaced != nil {
		replaced.End(Replaced(), s.options.Farewell)
	}
	line.Slow(s.faults.Delays(address))
	s.oracle.Note(oracle.Entry{What: oracle.Login, Account: phone, Device: address.Number, Connection: line.Login})
	conn.Send(waBinary.Node{Tag: "success", Attrs: waBinary.Attrs{
		"t": s.world.Now().Unix(), "lid": line.JID(types.HiddenUserServer),
	}})
	s.converse(conn, line)
	s.oracle.Note(oracle.Entry{What: oracle.Logout, Account: phone, Device: address.Number, Connection: line.Login})
	s.board.Leave(line)
}

// failure is how a login is refused with a number.
func failure(code int, ban time.Duration) waBinary.Attrs {
	if code == reasonBanned {
		return banned(ban, banTooManyPeople)
	}
	return waBinary.Attrs{"reason": code}
}

// banned is how a login is refused for the time that is left, told in seconds
// and never too few.
func banned(left time.Duration, reason int) waBinary.Attrs {
	return waBinary.Attrs{"reason": reasonBanned, "code": reason, "expire": int(math.Ceil(left.Seconds()))}
}

// dismiss refuses a login and waits for the client to leave.
func (s *Server) dismiss(conn *wire.Conn, failure waBinary.Attrs) {
	conn.SendLast(waBinary.Node{Tag: "failure", Attrs: failure}, s.options.Farewell)
	awaitEnd(conn)
}

// ignore leaves a login without an answer for a while and then drops it.
func (s *Server) ignore(conn *wire.Conn) {
	time.AfterFunc(s.options.Farewell, conn.Close)
	awaitEnd(conn)
}

func awaitEnd(conn *wire.Conn) {
	for {
		if _, err := conn.Receive(); err != nil {
			return
		}
	}
}

// converse handles what a device says until its connection ends.
func (s *Server) converse(conn *wire.Conn, line *route.Line) {
	for {
		node, err := conn.Receive()
		if err != nil {
			s.options.Log.Debug("a line ended", "device", masked(line.Address), "reason", conn.Cause(), "error", err)
			return
		}
		if line.Ended() {
			continue
		}
		if err = s.hear(line, node); err != nil {
			s.options.Log.Error("a stanza could not be kept", "device", masked(line.Address), "error", err)
			return
		}
	}
}

// hear handles one stanza. What has no answer in the protocol is passed over.
func (s *Server) hear(line *route.Line, node *waBinary.Node) error {
	switch node.Tag {
	case "iq":
		if kind := node.Attrs["type"]; kind == "get" || kind == "set" {
			s.iq.Answer(line, node)
		}
	case "message":
		if code := s.refusal(line, node); code != 0 {
			return s.board.Refuse(line, node, code)
		}
		return s.board.Message(line, node)
	case "receipt":
		if !s.faults.LosesRetry(line.Address, node) {
			s.board.Receipt(line, node)
		}
	case "ack":
		s.board.Ack(line, node)
	case "presence":
		s.board.Presence(line, node)
	case "chatstate":
		s.board.ChatState(line, node)
	}
	return nil
}

// masked names a device in logs by the last four digits of its number.
func masked(address model.Address) string {
	return "…" + address.Phone[max(0, len(address.Phone)-4):] + ":" + strconv.Itoa(int(address.Number))
}
