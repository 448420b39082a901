package follow

import (
	"context"
	"errors"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
)

// follower is the one stream that items go out by.
type follower struct {
	ended   chan struct{} // closed when another stream took its place
	awakens chan struct{} // holds one sign that something waits
}

func (f *follower) wake() {
	select {
	case f.awakens <- struct{}{}:
	default:
	}
}

// Follow sends items by the given function until ctx ends, sending fails, another stream begins (ErrReplaced), or all is
// told (ErrFinished). Welcome is called once items go to this stream. When it ends, what it was asked and did not answer
// is Unanswered.
func (d *Desk) Follow(ctx context.Context, send func(*enginev1.Item) error, welcome func()) error {
	f := d.attach()
	defer d.detach(f)
	welcome()
	failed := make(chan error, 1)
	go func() { failed <- d.sendAll(ctx, f, send) }()
	select {
	case err := <-failed:
		return err
	case <-f.ended:
		return ErrReplaced
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Desk) attach() *follower {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.follower != nil {
		close(d.follower.ended)
		d.giveUpAsked()
	} else {
		close(d.present)
	}
	d.follower = &follower{ended: make(chan struct{}), awakens: make(chan struct{}, 1)}
	d.follower.wake()
	return d.follower
}

func (d *Desk) detach(f *follower) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.follower == f {
		d.follower = nil
		d.present = make(chan struct{})
		d.giveUpAsked()
	}
}

func (d *Desk) giveUpAsked() {
	for id, asked := range d.asked {
		delete(d.asked, id)
		d.remove(asked)
		asked.settled <- Unanswered
	}
}

func (d *Desk) sendAll(ctx context.Context, f *follower, send func(*enginev1.Item) error) error {
	for {
		e := d.first(f)
		if e == nil {
			select {
			case <-f.awakens:
				continue
			case <-d.finished:
				if e = d.first(f); e == nil {
					return ErrFinished
				}
			case <-f.ended:
				return ErrReplaced
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := send(e.item); err != nil {
			return errors.Join(ctx.Err(), err)
		}
		d.sent(f, e)
	}
}

func (d *Desk) first(f *follower) *entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.follower != f || len(d.waiting) == 0 {
		return nil
	}
	return d.waiting[0]
}

// sent takes an item off only after it was sent: one that was on its way when its stream was replaced is told again.
func (d *Desk) sent(f *follower, e *entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.follower == f {
		d.remove(e)
	}
}
