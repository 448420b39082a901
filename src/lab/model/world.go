package model

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// World holds everything the lab knows. Its methods may be called from any
// goroutine. Accounts it returns are its own: read their constant fields only.
type World struct {
	Now func() time.Time

	mu      sync.Mutex
	keys    Keys
	byPhone map[string]*Account
	byLID   map[string]*Account
	groups  map[string]*Group // by the JID without its server
}

// NewWorld makes a world without accounts.
func NewWorld(keys Keys) *World {
	world := &World{Now: time.Now, keys: keys}
	world.clear()
	return world
}

func (w *World) clear() {
	w.byPhone, w.byLID, w.groups = map[string]*Account{}, map[string]*Account{}, map[string]*Group{}
}

// saved is a world as JSON.
type saved struct {
	Version  int        `json:"version"`
	Keys     Keys       `json:"keys"`
	Accounts []*Account `json:"accounts"`
	Groups   []*Group   `json:"groups,omitempty"`
}

const savedVersion = 1

// MarshalJSON writes the whole world, private keys included.
func (w *World) MarshalJSON() ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := saved{Version: savedVersion, Keys: w.keys, Accounts: w.sorted()}
	for _, id := range slices.Sorted(maps.Keys(w.groups)) {
		out.Groups = append(out.Groups, w.groups[id])
	}
	return json.Marshal(out)
}

// UnmarshalJSON replaces everything in the world by what MarshalJSON wrote.
func (w *World) UnmarshalJSON(text []byte) error {
	var in saved
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	if in.Version != savedVersion {
		return fmt.Errorf("a saved world of version %d, not %d", in.Version, savedVersion)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clear()
	w.keys = in.Keys
	for _, account := range in.Accounts {
		w.byPhone[account.Phone], w.byLID[account.LID] = account, account
	}
	for _, group := range in.Groups {
		if group.Keyed == nil {
			group.Keyed = map[string]bool{}
		}
		w.groups[group.ID] = group
	}
	return nil
}

// Keys gives what clients trust the lab by.
func (w *World) Keys() Keys {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.keys
}

// CreateAccount registers a number. An empty phone is chosen among numbers that
// belong to nobody, an empty lid at random.
func (w *World) CreateAccount(phone, lid, name string, naming Naming) (*Account, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if phone == "" {
		free, err := w.freeNumber()
		if err != nil {
			return nil, err
		}
		phone = free
	}
	if lid == "" {
		lid = newLID()
	}
	if !wellFormed(phone) || !wellFormed(lid) {
		return nil, ErrMalformedNumber
	}
	if w.byPhone[phone] != nil || w.byLID[lid] != nil {
		return nil, ErrAccountExists
	}
	account := newAccount(phone, lid, name, naming)
	w.byPhone[phone], w.byLID[lid] = account, account
	return account, nil
}

// DeleteAccount forgets an account with its devices, queues and memberships. Its number may
// be registered anew, with another LID.
func (w *World) DeleteAccount(phone string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	account := w.byPhone[phone]
	if account == nil {
		return ErrUnknownAccount
	}
	delete(w.byPhone, account.Phone)
	delete(w.byLID, account.LID)
	for _, group := range w.groups {
		group.remove(phone)
	}
	return nil
}

// Account finds an account by its phone number.
func (w *World) Account(phone string) (*Account, error) {
	return w.Find(types.NewJID(phone, types.DefaultUserServer))
}

// Find finds the account behind an address of either space.
func (w *World) Find(jid types.JID) (*Account, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var account *Account
	switch jid.Server {
	case types.DefaultUserServer:
		account = w.byPhone[jid.User]
	case types.HiddenUserServer:
		account = w.byLID[jid.User]
	}
	if account == nil {
		return nil, ErrUnknownAccount
	}
	return account, nil
}

// Locate turns a device's JID of either space into its address.
func (w *World) Locate(jid types.JID) (Address, error) {
	account, err := w.Find(jid)
	if err != nil {
		return Address{}, err
	}
	return Address{Phone: account.Phone, Number: jid.Device}, nil
}

// Phones lists the numbers of all accounts in order.
func (w *World) Phones() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	phones := make([]string, 0, len(w.byPhone))
	for _, account := range w.sorted() {
		phones = append(phones, account.Phone)
	}
	return phones
}

func (w *World) sorted() []*Account {
	accounts := make([]*Account, 0, len(w.byPhone))
	for _, account := range w.byPhone {
		accounts = append(accounts, account)
	}
	slices.SortFunc(accounts, func(a, b *Account) int { return cmp.Compare(a.Phone, b.Phone) })
	return accounts
}

// device finds a linked device; nil for device 0 and unknown ones.
func (w *World) device(at Address) *Device {
	account := w.byPhone[at.Phone]
	if account == nil || at.Number == 0 {
		return nil
	}
	for _, device := range account.Devices {
		if device.Number == at.Number {
			return device
		}
	}
	return nil
}
