// Package fault is where the lab is told to misbehave. Every stanza to or from
// a logged-in device is shown to the desk, at one place for each direction.
package fault

import "time"

// Fault is what goes wrong for a device, or for all devices of an account.
type Fault struct {
	// Frozen: the sockets that are open now stay open, and nothing is read or
	// written on them. Connections made later are sound.
	Frozen bool
	// AcksHeld: messages are taken in and passed on; their acks wait until this
	// ends.
	AcksHeld bool
	// AcksLost: messages are taken in and passed on, and never acked.
	AcksLost bool
	// RefuseCode: messages are refused with this error number; 0 for none.
	RefuseCode int
	// RefuseCount is how many messages are refused; 0 for all.
	RefuseCount int
	// Unreachable: logins are left without an answer and dropped after a while.
	// Open connections stay.
	Unreachable bool
	// LoginFailure: logins are refused with this number; 0 for none. Open
	// connections stay.
	LoginFailure int
	// Ban is how long the ban lasts that a login refused with 402 is told of.
	Ban time.Duration
	// GarbleCount is how many of the next messages to a device arrive spoilt, so
	// that they cannot be decrypted. Each is spoilt once at most.
	GarbleCount int
	// DelayTo and DelayFrom: each stanza to, or from, the device takes so much
	// longer. Their order stays.
	DelayTo, DelayFrom time.Duration
	// AckDelay: messages are taken in and passed on; their acks leave so much
	// later.
	AckDelay time.Duration
	// DuplicateCount is how many of the next messages to a device arrive twice.
	DuplicateCount int
	// RetriesLost: authors never hear that a device asks for a message again.
	RetriesLost bool
}

// plan is a fault in force for one device, or all of an account, and what it
// has led to so far.
type plan struct {
	Fault
	refused int
	doubled int
	garbled map[copied]bool
}

// refusal takes one message's refusal from the plan; 0 when it is accepted.
func (p *plan) refusal() int {
	if p.RefuseCode == 0 || (p.RefuseCount > 0 && p.refused >= p.RefuseCount) {
		return 0
	}
	p.refused++
	return p.RefuseCode
}

// doubles takes one message's doubling from the plan, if it is to be doubled.
func (p *plan) doubles() bool {
	if p.doubled >= p.DuplicateCount {
		return false
	}
	p.doubled++
	return true
}
