package session

import (
	"math/rand/v2"
	"time"
)

// backoff is the pause before the next attempt: doubled with each that fails, capped, and jittered, so that sessions which
// lost their lines together do not come back together.
type backoff struct {
	pace   Pace
	failed int
}

func (b *backoff) next() time.Duration {
	pause := b.pace.ReconnectMost
	if doubled := b.pace.ReconnectFirst << min(b.failed, 20); doubled > 0 && doubled < pause {
		pause = doubled
	}
	b.failed++
	return pause/2 + rand.N(pause/2+1)
}

// steadyFor notes how long the line had been up.
func (b *backoff) steadyFor(up time.Duration) {
	if up >= b.pace.Steady {
		b.failed = 0
	}
}
