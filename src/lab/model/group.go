package model

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// ErrUnknownGroup tells that no group has that JID.
var ErrUnknownGroup = errors.New("there is no group with that JID")

// Group is a chat of many. Nothing but its members changes.
type Group struct {
	ID         string               `json:"id"` // the JID without its server
	Subject    string               `json:"subject"`
	Creator    string               `json:"creator"` // phone number
	CreatedAt  time.Time            `json:"created_at"`
	Addressing types.AddressingMode `json:"addressing"` // by which names members see each other
	Members    []string             `json:"members"`    // phone numbers, in the order of joining
	Version    int                  `json:"version"`    // counts the changes of its members, from 1
	KeysOnce   bool                 `json:"keys_once,omitempty"`

	Keyed map[string]bool `json:"keyed,omitempty"` // the world's: who has got whose key, if they get it once
}

// JID is the group's address.
func (g Group) JID() types.JID { return types.NewJID(g.ID, types.GroupServer) }

// Space is the address space in which members see each other.
func (g Group) Space() string {
	if g.Addressing == types.AddressingModePN {
		return types.DefaultUserServer
	}
	return types.HiddenUserServer
}

// Has tells whether an account is a member.
func (g Group) Has(phone string) bool { return slices.Contains(g.Members, phone) }

// newGroupID makes 18 digits that begin as those of real groups do.
func newGroupID() string { return fmt.Sprint(120_363_000_000_000_000 + rand.Int64N(1_000_000_000_000)) }
