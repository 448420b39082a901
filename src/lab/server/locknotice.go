package server

import (
	"encoding/json"
	"strconv"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
)

// How clients are told of a reach-out lock, and ask for it.
const (
	lockOperation   = "NotificationUserReachoutTimelockUpdate"
	lockEnforcement = "RESTRICT_ALL_COMPANIONS"
	lockQuery       = "23983697327930364"
)

type lockState struct {
	Active      bool   `json:"is_active"`
	Ends        string `json:"time_enforcement_ends,omitempty"` // seconds, as text; clients take a missing one for a minute
	Enforcement string `json:"enforcement_type,omitempty"`
}

// told is a time as clients are told it, by the clock of the lab; empty for none.
func (s *Server) told(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return strconv.FormatInt(s.clock.at(at).Unix(), 10)
}

// tellLock tells all devices of an account whether it is locked.
func (s *Server) tellLock(account *model.Account, lock lockState) {
	s.board.Announce(account, "mex", types.ServerJID, nil, waBinary.Node{
		Tag: "update", Attrs: waBinary.Attrs{"op_name": lockOperation},
		Content: mexData("xwa2_notify_account_reachout_timelock", lock),
	})
}

// lockNow answers a client that asks whether its account is locked.
func (s *Server) lockNow(phone string) []byte {
	lock, locked := s.restrictions.Locked(phone)
	state := lockState{Active: locked, Enforcement: "DEFAULT"}
	if locked {
		state = lockState{Active: true, Ends: s.told(lock.Until), Enforcement: lockEnforcement}
	}
	return mexData("xwa2_fetch_account_reachout_timelock", state)
}

func mexData(name string, lock lockState) []byte {
	said, err := json.Marshal(map[string]any{"data": map[string]lockState{name: lock}})
	if err != nil {
		panic(err) // it holds nothing that JSON cannot say
	}
	return said
}
