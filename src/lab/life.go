package main

import (
	"encoding/json"
	"io"
	"os"
	"time"

	"wagate.dev/src/lab/world"
)

// farewell is how long calls may take to end once the lab is to end.
const farewell = 300 * time.Millisecond

// lastMoment is when a lab that is to end does so, whatever hangs. Nothing is
// lost then: all that must be believed is on disk already.
const lastMoment = 900 * time.Millisecond

// endWithin ends the process in time. That alone is no failure; what made the
// lab end may be one.
func endWithin(limit time.Duration, cause error) {
	code := 0
	if cause != nil {
		code = exitCode(cause)
	}
	time.AfterFunc(limit, func() { os.Exit(code) })
}

// ready is the line that the lab prints once everything can be used.
type ready struct {
	Address    string `json:"address"`
	Control    string `json:"control"`
	RootKeyHex string `json:"root_key_hex"`
	CAPEMFile  string `json:"ca_pem_file"`
	ProcessID  int    `json:"process_id"`
}

func announce(out io.Writer, opened *world.World, control string) error {
	return json.NewEncoder(out).Encode(ready{
		Address: opened.Server.Address(), Control: control, RootKeyHex: opened.Server.RootKeyHex(),
		CAPEMFile: opened.AuthorityFile(), ProcessID: os.Getpid(),
	})
}

// parentGone is closed when stdin ends: the process that held it is gone, or
// wishes so. It never is unless asked for.
func parentGone(asked bool, stdin io.Reader) <-chan struct{} {
	gone := make(chan struct{})
	if asked {
		go func() {
			defer close(gone)
			_, _ = io.Copy(io.Discard, stdin) // an end is an end, whatever brought it
		}()
	}
	return gone
}
