package model

import (
	"slices"
	"time"
)

// ReserveNumber takes the account's next device number; numbers are never
// used twice.
func (w *World) ReserveNumber(phone string) (uint16, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	account := w.byPhone[phone]
	if account == nil {
		return 0, ErrUnknownAccount
	}
	if account.LastNumber == LargestDevice {
		return 0, ErrTooManyDevices
	}
	account.LastNumber++
	return account.LastNumber, nil
}

// Link adds a device to an account.
func (w *World) Link(phone string, device *Device) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	account := w.byPhone[phone]
	if account == nil {
		return ErrUnknownAccount
	}
	account.Devices = append(account.Devices, device)
	return nil
}

// Unlink removes a device with its keys and queue.
func (w *World) Unlink(at Address) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	device := w.device(at)
	if device == nil {
		return ErrUnknownDevice
	}
	account := w.byPhone[at.Phone]
	account.Devices = slices.DeleteFunc(account.Devices, func(other *Device) bool { return other == device })
	return nil
}

// DeviceInfo is what may be told about a device.
type DeviceInfo struct {
	Number   uint16
	KeyIndex uint32
	Platform string
	LinkedAt time.Time
	Queued   int
	PreKeys  int
}

// Devices lists the linked devices of an account, the phone not included.
func (w *World) Devices(phone string) ([]DeviceInfo, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	account := w.byPhone[phone]
	if account == nil {
		return nil, ErrUnknownAccount
	}
	infos := make([]DeviceInfo, len(account.Devices))
	for i, device := range account.Devices {
		infos[i] = DeviceInfo{
			Number: device.Number, KeyIndex: device.KeyIndex, Platform: device.Platform,
			LinkedAt: device.LinkedAt, Queued: len(device.Queue), PreKeys: len(device.PreKeys),
		}
	}
	return infos, nil
}

// Linked tells whether the device exists and logs in with that noise key.
func (w *World) Linked(at Address, noiseKey []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	device := w.device(at)
	return device != nil && slices.Equal(device.Noise, noiseKey)
}

// SetName changes an account's push name.
func (w *World) SetName(phone, name string) {
	w.change(phone, func(account *Account) { account.Name = name })
}

// Name is an account's push name.
func (w *World) Name(phone string) (name string) {
	w.change(phone, func(account *Account) { name = account.Name })
	return name
}

// SetLastSeen notes when the account's owner was last available.
func (w *World) SetLastSeen(phone string, at time.Time) {
	w.change(phone, func(account *Account) { account.LastSeen = at })
}

// LastSeen tells when the account's owner was last available; zero for never.
func (w *World) LastSeen(phone string) (at time.Time) {
	w.change(phone, func(account *Account) { at = account.LastSeen })
	return at
}

// CountDropped notes a stanza that was addressed to the phone itself.
func (w *World) CountDropped(phone string) {
	w.change(phone, func(account *Account) { account.DroppedFor++ })
}

// Dropped tells how many stanzas were addressed to the phone itself.
func (w *World) Dropped(phone string) (count int) {
	w.change(phone, func(account *Account) { count = account.DroppedFor })
	return count
}

// Watch notes that watcher asked for the device list of phone, and is to be
// told when it changes.
func (w *World) Watch(phone, watcher string) {
	w.change(phone, func(account *Account) {
		if account.Watchers == nil {
			account.Watchers = map[string]bool{}
		}
		account.Watchers[watcher] = true
	})
}

// Watchers lists who is to be told when the device list of phone changes.
func (w *World) Watchers(phone string) (watchers []string) {
	w.change(phone, func(account *Account) { watchers = sortedKeys(account.Watchers) })
	return watchers
}

// change runs a short function on an account under the world's lock, and
// nothing when there is no such account.
func (w *World) change(phone string, apply func(*Account)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if account := w.byPhone[phone]; account != nil {
		apply(account)
	}
}
