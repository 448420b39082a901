package server

import (
	"context"
	"encoding/json"

	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
)

// AccountInfo is what may be told about an account.
type AccountInfo struct {
	Phone   string
	LID     string // the user part of the hidden identity
	Name    string // the push name that others see
	Dropped int    // stanzas that were addressed to the phone itself
	Devices []DeviceInfo
}

// DeviceInfo is what may be told about a linked device.
type DeviceInfo struct {
	model.DeviceInfo
	JID    types.JID // by phone number
	Online bool
}

// CreateAccount registers a phone number. An empty lid is chosen at random; the
// two never resemble each other by accident.
func (s *Server) CreateAccount(phone, lid, name string) (AccountInfo, error) {
	account, err := s.world.CreateAccount(phone, lid, name)
	if err != nil {
		return AccountInfo{}, err
	}
	return AccountInfo{Phone: account.Phone, LID: account.LID, Name: name}, nil
}

// Accounts lists all accounts in order of their numbers.
func (s *Server) Accounts() []AccountInfo {
	var all []AccountInfo
	for _, phone := range s.world.Phones() {
		if info, err := s.Account(phone); err == nil {
			all = append(all, info)
		}
	}
	return all
}

// Account tells about one account.
func (s *Server) Account(phone string) (AccountInfo, error) {
	account, err := s.world.Account(phone)
	if err != nil {
		return AccountInfo{}, err
	}
	devices, err := s.Devices(phone)
	return AccountInfo{
		Phone: phone, LID: account.LID, Name: s.world.Name(phone),
		Dropped: s.world.Dropped(phone), Devices: devices,
	}, err
}

// SetName changes an account's push name, as its owner would on the phone.
func (s *Server) SetName(phone, name string) error {
	if _, err := s.world.Account(phone); err != nil {
		return err
	}
	s.world.SetName(phone, name)
	return nil
}

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

// Devices lists an account's linked devices with the lengths of their queues;
// device 0 is not among them.
func (s *Server) Devices(phone string) ([]DeviceInfo, error) {
	account, err := s.world.Account(phone)
	if err != nil {
		return nil, err
	}
	known, err := s.world.Devices(phone)
	infos := make([]DeviceInfo, len(known))
	for i, device := range known {
		jid := account.PN()
		jid.Device = device.Number
		infos[i] = DeviceInfo{DeviceInfo: device, JID: jid, Online: s.Online(phone, device.Number)}
	}
	return infos, err
}

// Online tells whether a device is logged in.
func (s *Server) Online(phone string, number uint16) bool {
	return s.board.Line(model.Address{Phone: phone, Number: number}) != nil
}

// Unanswered counts the info queries that were answered with 501, by type,
// namespace and first child, like "get w:mex query".
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
