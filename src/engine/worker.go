package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"

	"golang.org/x/sys/unix"
)

// watchWorker returns a channel that is closed when the worker that started this process is gone. Its end of our standard
// input closes then, and the kernel sends SIGHUP in case somebody else inherited that end. It must be called by main: the
// kernel forgets the wish with the thread that made it.
func watchWorker() (<-chan struct{}, error) {
	runtime.LockOSThread()
	gone := make(chan struct{})
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, unix.SIGHUP)
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGHUP), 0, 0, 0); err != nil {
		return nil, fmt.Errorf("asking the kernel for word of the worker's death: %w", err)
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // However reading ends, the worker is gone.
	}()
	go func() {
		defer close(gone)
		select {
		case <-hangup:
		case <-closed:
		}
	}()
	return gone, nil
}
