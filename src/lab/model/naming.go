package model

import "go.mau.fi/whatsmeow/types"

// Naming is the form in which a sender is named in what is delivered to others.
type Naming string

// The forms of naming.
const (
	LIDWithPhone Naming = ""               // by LID, with the phone number beside it
	LIDOnly      Naming = "lid_only"       // by LID alone
	PhoneWithLID Naming = "phone_with_lid" // by phone number, with the LID beside it
	PhoneOnly    Naming = "phone_only"     // by phone number alone
)

// Beside is an account's name in the other space than that of server, to be
// told beside the one there; empty if it is to be known by one name alone.
func (a *Account) Beside(server string) types.JID {
	switch {
	case a.Naming == LIDOnly || a.Naming == PhoneOnly:
		return types.EmptyJID
	case server == types.HiddenUserServer:
		return a.PN()
	default:
		return a.LIDJID()
	}
}
