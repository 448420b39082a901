package model

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
)

var (
	// ErrUnknownAccount tells that no account has that number.
	ErrUnknownAccount = errors.New("there is no account with that phone number")
	// ErrAccountExists tells that a number or LID is taken.
	ErrAccountExists = errors.New("an account with that phone number or LID exists")
	// ErrMalformedNumber tells that a phone number or LID is not made of digits.
	ErrMalformedNumber = errors.New("a phone number or LID has 5 to 20 digits and nothing else")
	// ErrUnknownDevice tells that the account has no such device.
	ErrUnknownDevice = errors.New("the account has no such device")
	// ErrTooManyDevices tells that an account has used up its device numbers.
	ErrTooManyDevices = errors.New("the account has used all its 255 device numbers")
)

// LargestDevice is the largest device number; the protocol has one byte for it.
const LargestDevice = 255

// Account is a registered number. Phone, LID, naming and the keys
// never change.
type Account struct {
	Phone        string     `json:"phone"`
	LID          string     `json:"lid"`
	Name         string     `json:"name"`
	Naming       Naming     `json:"naming,omitempty"`
	Identity     PrivateKey `json:"identity"` // of device 0, the phone
	Registration uint32     `json:"registration"`
	SignedPreKey PreKey     `json:"signed_prekey"`

	Devices    []*Device         `json:"devices"`
	LastNumber uint16            `json:"last_number"`
	DroppedFor int               `json:"dropped_for_phone"` // stanzas addressed to device 0
	LastSeen   time.Time         `json:"last_seen,omitzero"`
	Watchers   map[string]bool   `json:"watchers,omitempty"`
	Blocked    map[string]bool   `json:"blocked,omitempty"`
	Privacy    map[string]string `json:"privacy,omitempty"`
	Chats      map[string]bool   `json:"chats,omitempty"` // with whom, by their numbers
}

// PN is the account's address by phone number.
func (a *Account) PN() types.JID { return types.NewJID(a.Phone, types.DefaultUserServer) }

// LIDJID is the account's address by hidden identity.
func (a *Account) LIDJID() types.JID { return types.NewJID(a.LID, types.HiddenUserServer) }

// In gives the account's address in the address space of server.
func (a *Account) In(server string) types.JID {
	if server == types.HiddenUserServer {
		return a.LIDJID()
	}
	return a.PN()
}

// Device is a linked companion. Number and identity never change.
type Device struct {
	Number       uint16    `json:"number"`
	KeyIndex     uint32    `json:"key_index"`
	Platform     string    `json:"platform"`
	Noise        []byte    `json:"noise"`
	Identity     []byte    `json:"identity"`
	Registration []byte    `json:"registration"` // four bytes
	SignedPreKey PreKey    `json:"signed_prekey"`
	PreKeys      []PreKey  `json:"prekeys"`
	LinkedAt     time.Time `json:"linked_at"`
	Queue        []*Queued `json:"queue"`
}

// Address names one device of one account; number 0 is the phone.
type Address struct {
	Phone  string
	Number uint16
}

func (a Address) String() string { return fmt.Sprintf("%s:%d", a.Phone, a.Number) }

// newAccount makes the keys a phone would have.
func newAccount(phone, lid, name string, naming Naming) *Account {
	account := &Account{
		Phone: phone, LID: lid, Name: name, Naming: naming,
		Identity: NewPrivateKey(), Registration: rand.Uint32N(1 << 14),
	}
	signed := account.Identity.Pair().CreateSignedPreKey(1)
	account.SignedPreKey = publicPreKey(signed)
	return account
}

func publicPreKey(key *keys.PreKey) PreKey {
	return PreKey{
		ID:        []byte{byte(key.KeyID >> 16), byte(key.KeyID >> 8), byte(key.KeyID)},
		Public:    key.Pub[:],
		Signature: key.Signature[:],
	}
}

func wellFormed(number string) bool {
	return len(number) >= 5 && len(number) <= 20 && strings.Trim(number, "0123456789") == ""
}

// newLID makes 14 random digits that have nothing to do with the phone number.
func newLID() string { return fmt.Sprint(10_000_000_000_000 + rand.Int64N(90_000_000_000_000)) }
