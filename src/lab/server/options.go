package server

import (
	"fmt"
	"log/slog"
	"net"
	"time"

	"wagate.dev/src/lab/pair"
)

// Options say how a lab runs. Address and OraclePath are required.
type Options struct {
	// Address to listen on, like "127.0.0.1:0". Anything but a loopback IP
	// address is refused.
	Address string
	// OraclePath is the file that the oracle appends to.
	OraclePath string
	// World is what SaveWorld gave, to go on with; empty for a new world.
	World []byte
	// Pairing are the deadlines of linking; zero for those of the real service.
	Pairing pair.Times
	// Farewell is how long a client may take to close its connection after a
	// last word; zero for two seconds.
	Farewell time.Duration
	// Log takes what the operator should know; nil for silence.
	Log *slog.Logger
	// StanzasKept is the size of the ring of recent stanzas; zero for 4096.
	StanzasKept int
}

// NotLoopback tells that an address was refused because it is not a loopback one.
type NotLoopback struct{ Address string }

func (n *NotLoopback) Error() string {
	return fmt.Sprintf("the lab listens on loopback addresses only, and %q is none; use 127.0.0.1:PORT or [::1]:PORT", n.Address)
}

func (o Options) complete() (Options, error) {
	host, _, err := net.SplitHostPort(o.Address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return o, &NotLoopback{Address: o.Address}
	}
	if o.OraclePath == "" {
		return o, fmt.Errorf("the lab needs a path for its oracle")
	}
	if o.Pairing == (pair.Times{}) {
		o.Pairing = pair.DefaultTimes
	}
	if o.Farewell == 0 {
		o.Farewell = 2 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.StanzasKept == 0 {
		o.StanzasKept = 4096
	}
	return o, nil
}
