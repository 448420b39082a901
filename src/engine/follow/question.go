package follow

import "time"

// Question is an item that was told, and whose settlement is waited for.
type Question struct {
	desk  *Desk
	asked *entry
}

// IsStored says whether the item is known to be stored by now.
func (q *Question) IsStored() bool {
	q.desk.mu.Lock()
	defer q.desk.mu.Unlock()
	return q.asked.isStored
}

// Settlement waits until the item is settled. It gives up when patience runs out, when nobody follows, or when the line
// that asks is gone. It is asked once.
func (q *Question) Settlement(patience time.Duration, gone <-chan struct{}) Settlement {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case settlement := <-q.asked.settled:
		return settlement
	case <-timer.C:
	case <-gone:
	}
	return q.desk.withdraw(q.asked)
}

// withdraw takes back an item that is waited for no more: a settlement that came at the last moment still counts.
func (d *Desk) withdraw(asked *entry) Settlement {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.asked, asked.item.ItemId)
	if d.remove(asked) && asked.run != nil {
		d.endRun(asked.run)
	}
	select {
	case settlement := <-asked.settled:
		return settlement
	default:
		return Unanswered
	}
}

// endRun takes back what waits of a run, and lets no more of it come.
func (d *Desk) endRun(run *Run) {
	run.isOver = true
	for id, asked := range d.asked {
		if asked.run == run && d.remove(asked) {
			delete(d.asked, id)
			asked.settled <- Unanswered
		}
	}
}
