// Package oracle is the lab's memory of what truly happened: an append-only
// file of JSON lines that tests read and believe.
package oracle

import "time"

// What tells which kind of fact an entry records.
type What string

// The facts that are recorded.
const (
	Accepted  What = "accepted"  // a message came from a device; on disk before its ack leaves
	Refused   What = "refused"   // a message came from a device and was answered with an error
	Delivered What = "delivered" // a message was written to a device's socket
	Confirmed What = "confirmed" // a device confirmed a message, which left its queue
	Receipt   What = "receipt"   // a receipt was forwarded to a device's queue
	Linked    What = "linked"    // a device was paired
	Unlinked  What = "unlinked"  // a device was removed
	Login     What = "login"     // a device logged in
	Logout    What = "logout"    // a device's connection ended
)

// Entry is one fact. Sequence counts from 1 without gaps within a file.
type Entry struct {
	Sequence   uint64    `json:"sequence"`
	Time       time.Time `json:"time"`
	What       What      `json:"what"`
	Account    string    `json:"account,omitempty"` // phone number of whose device it is
	Device     uint16    `json:"device"`
	Connection uint64    `json:"connection,omitempty"` // counts the logins of this lab, from 1; 0 for none
	Peer       string    `json:"peer,omitempty"`       // phone number of the other side
	ID         string    `json:"id,omitempty"`         // the provider's message id
	IDs        []string  `json:"ids,omitempty"`        // further ids of one receipt
	From       string    `json:"from,omitempty"`
	To         string    `json:"to,omitempty"`
	Type       string    `json:"type,omitempty"`
	Edit       string    `json:"edit,omitempty"`
	OwnDevice  bool      `json:"own_device,omitempty"` // from one device of the account to another
	Offline    bool      `json:"offline,omitempty"`    // delivered out of the queue after a login
	Error      string    `json:"error,omitempty"`      // the number of a refusal, by the server or the device
}
