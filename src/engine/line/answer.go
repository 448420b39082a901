package line

// Answer is what becomes of something that the line told.
type Answer interface {
	// Known says whether Stored would return at once.
	Known() bool
	// Stored waits until it is known whether it was stored. It is asked once, and only if everything that was told before
	// it was stored.
	Stored() bool
}

// Said is an answer that is known at once.
type Said bool

// Known is true.
func (s Said) Known() bool { return true }

// Stored is what was said.
func (s Said) Stored() bool { return bool(s) }
