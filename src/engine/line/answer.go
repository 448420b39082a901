package line

// Answer is what becomes of something that the line told.
type Answer interface {
	// IsStored says whether it is known by now that it was stored.
	IsStored() bool
	// Stored waits until it is known whether it was stored. It is asked once, and only if everything that was told before
	// it was stored.
	Stored() bool
}

// Said is an answer that is known at once.
type Said bool

// IsStored is what was said.
func (s Said) IsStored() bool { return bool(s) }

// Stored is what was said.
func (s Said) Stored() bool { return bool(s) }
