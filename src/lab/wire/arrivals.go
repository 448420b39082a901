package wire

import (
	"context"
	"time"
)

// arrival is a frame that has come, or why none will any more.
type arrival struct {
	frame []byte
	err   error
	at    time.Time
}

// readAhead is how many frames may wait to be heard; what comes then waits in
// the socket.
const readAhead = 256

// arrivals reads a connection's frames as they come and notes when that was, so
// that a line that is slow is not narrow as well.
type arrivals struct {
	frames  *Frames
	waiting chan arrival
}

func readArrivals(ctx context.Context, frames *Frames) *arrivals {
	arriving := &arrivals{frames: frames, waiting: make(chan arrival, readAhead)}
	go arriving.read(ctx)
	return arriving
}

func (a *arrivals) read(ctx context.Context) {
	for {
		frame, err := a.frames.ReadFrame(ctx)
		select {
		case a.waiting <- arrival{frame: frame, err: err, at: time.Now()}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// next waits for the next frame. The end of the context is told as the frames
// tell it, so that whoever reads learns one cause.
func (a *arrivals) next(ctx context.Context) (arrival, error) {
	select {
	case next := <-a.waiting:
		return next, next.err
	case <-ctx.Done():
		return arrival{}, ctx.Err()
	}
}
