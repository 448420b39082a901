// Package session keeps sessions: each with its keys, its lease, its line, and whoever is being paired.
package session

import (
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"wagate.dev/src/engine/fencedstore"
	"wagate.dev/src/engine/follow"
	"wagate.dev/src/engine/line"
)

// House is what all sessions of a process share.
type House struct {
	Network   *line.Network
	Databases *fencedstore.Databases
	Desk      *follow.Desk
	Log       *slog.Logger
	Pace      Pace
	// Reconnects holds making lost lines again to a rate, over all sessions.
	Reconnects *rate.Limiter
}

// Pace says how long things are waited for.
type Pace struct {
	// Settlement is how long a line waits for the worker to store what arrived.
	Settlement time.Duration
	// Login is how long a connection may take until it is logged in.
	Login time.Duration
	// Silence is how long nothing need come in: longer than the time between two pings and for the answer to one.
	Silence time.Duration
	// ReconnectFirst and ReconnectMost bound the pause before the next attempt, which doubles with each that fails.
	ReconnectFirst, ReconnectMost time.Duration
	// Steady is how long a line must have been up for the pause to begin anew.
	Steady time.Duration
	// Blocked is the pause after WhatsApp's no, which may have been lifted meanwhile.
	Blocked time.Duration
}

// DefaultPace is how long things are waited for unless a test is in a hurry.
func DefaultPace() Pace {
	return Pace{
		Settlement:     20 * time.Second,
		Login:          30 * time.Second,
		Silence:        35 * time.Second,
		ReconnectFirst: time.Second,
		ReconnectMost:  time.Minute,
		Steady:         30 * time.Second,
		Blocked:        time.Hour,
	}
}
