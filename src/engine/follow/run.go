package follow

// Run is a run of items that are told ahead of each other's settlement. Once one of them was taken back before it was
// told, nothing behind it is told either: it would be stored out of its order.
type Run struct {
	number uint64
	isOver bool // known to the desk alone
}

// Next begins the run after this one; nil comes before the first.
func (r *Run) Next() *Run {
	if r == nil {
		return &Run{number: 1}
	}
	return &Run{number: r.number + 1}
}
