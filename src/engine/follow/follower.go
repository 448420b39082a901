package follow

import (
	"context"
	"errors"
	"slices"

	"google.golang.org/protobuf/proto"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
)

const (
	// frameItems is how many items go into one frame at most.
	frameItems = 64
	// frameBytes is how large a frame of more than one item becomes at most.
	frameBytes = 256 << 10
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
func (d *Desk) Follow(ctx context.Context, send func([]*enginev1.Item) error, welcome func()) error {
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

func (d *Desk) sendAll(ctx context.Context, f *follower, send func([]*enginev1.Item) error) error {
	for {
		entries := d.first(f)
		if len(entries) == 0 {
			select {
			case <-f.awakens:
				continue
			case <-d.finished:
				if entries = d.first(f); len(entries) == 0 {
					return ErrFinished
				}
			case <-f.ended:
				return ErrReplaced
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := send(itemsOf(entries)); err != nil {
			return errors.Join(ctx.Err(), err)
		}
		d.sent(f, entries)
	}
}

// first are the items that wait first, as many as go into one frame.
func (d *Desk) first(f *follower) []*entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.follower != f {
		return nil
	}
	size := 0
	for i, e := range d.waiting {
		if size += proto.Size(e.item); i == frameItems || i > 0 && size > frameBytes {
			return slices.Clone(d.waiting[:i])
		}
	}
	return slices.Clone(d.waiting)
}

func itemsOf(entries []*entry) []*enginev1.Item {
	items := make([]*enginev1.Item, len(entries))
	for i, e := range entries {
		items[i] = e.item
	}
	return items
}

// sent takes items off only after they were sent: those on their way when their stream was replaced are told again.
func (d *Desk) sent(f *follower, entries []*entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.follower == f {
		for _, e := range entries {
			d.remove(e)
		}
	}
}
