package model

import "encoding/binary"

// Bundle is what a sender needs to start an encrypted session with a device.
type Bundle struct {
	Registration []byte
	Identity     []byte
	Signed       PreKey
	OneTime      *PreKey // nil when the device has none left
}

// TakeBundle gives a device's bundle and uses up one of its one-time keys;
// left is how many remain.
func (w *World) TakeBundle(of Address) (bundle Bundle, left int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	account := w.byPhone[of.Phone]
	if account == nil {
		return Bundle{}, 0, ErrUnknownAccount
	}
	if of.Number == 0 {
		return account.phoneBundle(), 0, nil
	}
	device := w.device(of)
	if device == nil {
		return Bundle{}, 0, ErrUnknownDevice
	}
	bundle = Bundle{Registration: device.Registration, Identity: device.Identity, Signed: device.SignedPreKey}
	if len(device.PreKeys) > 0 {
		bundle.OneTime = &device.PreKeys[0]
		device.PreKeys = device.PreKeys[1:]
	}
	return bundle, len(device.PreKeys), nil
}

func (a *Account) phoneBundle() Bundle {
	return Bundle{
		Registration: binary.BigEndian.AppendUint32(nil, a.Registration),
		Identity:     a.Identity.Public(),
		Signed:       a.SignedPreKey,
	}
}

// AddPreKeys stores uploaded keys; an upload replaces the signed prekey.
func (w *World) AddPreKeys(of Address, registration []byte, signed PreKey, oneTime []PreKey) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	device := w.device(of)
	if device == nil {
		return ErrUnknownDevice
	}
	device.Registration, device.SignedPreKey = registration, signed
	device.PreKeys = append(device.PreKeys, oneTime...)
	return nil
}

// ReplaceSignedPreKey stores a rotated signed prekey.
func (w *World) ReplaceSignedPreKey(of Address, signed PreKey) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	device := w.device(of)
	if device == nil {
		return ErrUnknownDevice
	}
	device.SignedPreKey = signed
	return nil
}

// DrainPreKeys throws one-time keys of a device away until so many are left.
func (w *World) DrainPreKeys(of Address, left int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if device := w.device(of); device != nil && len(device.PreKeys) > left {
		device.PreKeys = device.PreKeys[len(device.PreKeys)-left:]
	}
}

// PreKeyCount tells how many one-time keys a device has left.
func (w *World) PreKeyCount(of Address) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if device := w.device(of); device != nil {
		return len(device.PreKeys)
	}
	return 0
}
