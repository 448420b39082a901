package server

import (
	"sync/atomic"
	"time"
)

// clock is the one that the lab's stanzas tell the time by. It may be wrong.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return c.at(time.Now()) }

// at is what the clock shows at a true time.
func (c *clock) at(truth time.Time) time.Time { return truth.Add(time.Duration(c.ahead.Load())) }

// SetClock lets the lab's clock go so far ahead of the true time, or behind if
// that is negative. The oracle has a clock of its own, which is right.
func (s *Server) SetClock(ahead time.Duration) { s.clock.ahead.Store(int64(ahead)) }
