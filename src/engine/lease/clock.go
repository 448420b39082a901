// Package lease counts how long this process may still act for a session.
package lease

import (
	"time"

	"golang.org/x/sys/unix"
)

// Now reads CLOCK_BOOTTIME: unlike Go's own clock it goes on while the machine sleeps, so that a lease does not outlive a
// suspend.
func Now() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		panic("CLOCK_BOOTTIME cannot be read: " + err.Error()) // Linux has had it since 2.6.39; without it no lease is safe.
	}
	return time.Duration(now.Nano())
}
