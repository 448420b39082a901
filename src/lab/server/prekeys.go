package server

import "wagate.dev/src/lab/model"

// DrainPreKeys uses up the one-time keys of an account's devices until so many
// are left. Devices that are told upload more.
func (s *Server) DrainPreKeys(phone string, left int, told bool) error {
	devices, err := s.world.Devices(phone)
	if err != nil {
		return err
	}
	for _, device := range devices {
		address := model.Address{Phone: phone, Number: device.Number}
		s.world.DrainPreKeys(address, left)
		if told {
			s.board.TellPreKeysLow(address, s.world.PreKeyCount(address))
		}
	}
	return nil
}
