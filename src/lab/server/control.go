package server

import (
	"context"
	"encoding/json"

	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/fault"
	"wagate.dev/src/lab/model"
)

// DeviceInfo is what may be told about a linked device.
type DeviceInfo struct {
	model.DeviceInfo
	Online bool
}

// CreateAccount registers a phone number. An empty phone or lid is chosen at
// random; lid and phone number never resemble each other by accident. Read only
// the constant fields of the account.
func (s *Server) CreateAccount(phone, lid, name string, naming model.Naming) (*model.Account, error) {
	return s.world.CreateAccount(phone, lid, name, naming)
}

// DeleteAccount ends an account with its faults and logs its devices out. The
// number may then be given to a new account, which has another LID.
func (s *Server) DeleteAccount(phone string) error {
	devices, err := s.world.Devices(phone)
	if err == nil {
		err = s.SetFault(phone, fault.Fault{})
	}
	if err != nil {
		return err
	}
	for _, device := range devices {
		if err = s.RemoveDevice(phone, device.Number); err != nil {
			return err
		}
	}
	return s.world.DeleteAccount(phone)
}

// Phones lists the numbers of all accounts in order.
func (s *Server) Phones() []string { return s.world.Phones() }

// Account finds an account by its number; only its constant fields may be read.
func (s *Server) Account(phone string) (*model.Account, error) { return s.world.Account(phone) }

// Find finds the account behind a JID by phone number or LID.
func (s *Server) Find(jid types.JID) (*model.Account, error) { return s.world.Find(jid) }

// Name is an account's push name, which others see.
func (s *Server) Name(phone string) string { return s.world.Name(phone) }

// SetName changes an account's push name, as its owner would on the phone.
func (s *Server) SetName(phone, name string) { s.world.SetName(phone, name) }

// Dropped counts the stanzas that were addressed to an account's phone itself.
func (s *Server) Dropped(phone string) int { return s.world.Dropped(phone) }

// ScanQR lets the account's phone scan a QR code. It returns the new device's
// JID once its client has confirmed.
func (s *Server) ScanQR(ctx context.Context, phone, qrText string) (types.JID, error) {
	return s.desk.Scan(ctx, phone, qrText)
}

// EnterCode lets the account's phone enter a pairing code, with or without its
// dash. After pair.ErrWrongCode another try is possible.
func (s *Server) EnterCode(ctx context.Context, phone, code string) (types.JID, error) {
	return s.desk.Enter(ctx, phone, code)
}

// RemoveDevice lets the account's phone log a device out. An online device is
// told at once, an offline one when it logs in next.
func (s *Server) RemoveDevice(phone string, number uint16) error {
	account, err := s.world.Account(phone)
	if err != nil {
		return err
	}
	address := model.Address{Phone: phone, Number: number}
	if err = s.world.Unlink(address); err != nil {
		return err
	}
	if line := s.board.Line(address); line != nil {
		line.End(conflict("device_removed", "401"), s.options.Farewell)
	}
	s.deviceLoggedOut(account, number)
	return nil
}

// ListDevices lists an account's linked devices with the lengths of their
// queues; device 0 is not among them.
func (s *Server) ListDevices(phone string) ([]DeviceInfo, error) {
	known, err := s.world.Devices(phone)
	infos := make([]DeviceInfo, len(known))
	for i, device := range known {
		infos[i] = DeviceInfo{DeviceInfo: device, Online: s.Online(model.Address{Phone: phone, Number: device.Number})}
	}
	return infos, err
}

// Online tells whether a device is logged in.
func (s *Server) Online(device model.Address) bool { return s.board.Line(device) != nil }

// Connections counts the sockets that are open now.
func (s *Server) Connections() int { return int(s.open.Load()) }

// Unanswered counts the info queries that were answered with 501, by namespace
// and first child, like "w:mex/query".
func (s *Server) Unanswered() map[string]int { return s.iq.Unanswered() }

// Stanzas lists the latest stanzas in both directions after a number, oldest
// first.
func (s *Server) Stanzas(after uint64) []Stanza { return s.ring.after(after) }

// SaveWorld gives everything as JSON: keys, accounts, devices, queues. It
// contains private keys; keep it in files of mode 0600.
func (s *Server) SaveWorld() ([]byte, error) { return json.Marshal(s.world) }

// LoadWorld drops all connections and replaces everything by a saved world.
// Clients need its RootKey and AuthorityPEM then.
func (s *Server) LoadWorld(data []byte) error {
	if err := json.Unmarshal(data, s.world); err != nil {
		return err
	}
	if err := s.renewTrust(); err != nil {
		return err
	}
	for _, line := range s.board.Lines("") {
		line.Drop()
	}
	return nil
}
