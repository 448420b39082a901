// Package convert turns what whatsmeow says into what the worker is told, and back. A file per kind; nothing here asks
// anybody or waits.
package convert

import (
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
)

// Name is a JID without device, as it travels; empty for none.
func Name(jid types.JID) string {
	if jid.IsEmpty() {
		return ""
	}
	return jid.ToNonAD().String()
}

// PhoneNumber is the number of a phone JID, E.164 with `+`; empty for any other.
func PhoneNumber(jid types.JID) string {
	if jid.Server != types.DefaultUserServer || jid.User == "" {
		return ""
	}
	return "+" + jid.User
}

// IsPerson says whether a JID names a person: by LID or by phone number.
func IsPerson(jid types.JID) bool {
	return jid.User != "" && (jid.Server == types.DefaultUserServer || jid.Server == types.HiddenUserServer)
}

// Device describes a linked device; nil for none.
func Device(device *store.Device) *enginev1.Device {
	if device == nil || device.ID == nil {
		return nil
	}
	return &enginev1.Device{
		Jid:         device.ID.String(),
		Lid:         Name(device.LID),
		PhoneNumber: PhoneNumber(device.ID.ToNonAD()),
		PushName:    device.PushName,
	}
}

// PersonNames puts the names of one person together, in whatever order they come. Names of places are left out.
func PersonNames(pushName string, jids ...types.JID) *enginev1.PersonNames {
	names := &enginev1.PersonNames{PushName: pushName}
	for _, jid := range jids {
		switch jid.Server {
		case types.HiddenUserServer:
			names.Lid = Name(jid)
		case types.DefaultUserServer:
			names.PhoneNumber = PhoneNumber(jid)
		}
	}
	return names
}
