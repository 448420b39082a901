package line

import (
	"errors"
	"net"
	"sync"
	"time"
)

// ErrLeaseOut is the failure of a connection whose session is no longer ours.
var ErrLeaseOut = errors.New("the lease has run out")

// Lease says whether a session is still ours.
type Lease interface {
	Holds() bool
	Ended() <-chan struct{}
}

// leasedConn lets nothing in or out once the lease has run out, and closes then by itself. It lies beneath TLS, so that
// handshakes, pings, receipts and retries are covered as well as messages.
type leasedConn struct {
	net.Conn
	lease   Lease
	heard   func()      // called whenever bytes came in
	mayRead func() bool // asked before more are let in
	close   sync.Once
	closed  chan struct{}
}

func newLeasedConn(raw net.Conn, lease Lease, heard func(), mayRead func() bool) *leasedConn {
	c := &leasedConn{Conn: raw, lease: lease, heard: heard, mayRead: mayRead, closed: make(chan struct{})}
	go c.closeWithLease()
	return c
}

func (c *leasedConn) closeWithLease() {
	select {
	case <-c.lease.Ended():
		c.Close()
	case <-c.closed:
	}
}

// Write refuses every byte once the lease has run out.
func (c *leasedConn) Write(bytes []byte) (int, error) {
	if !c.lease.Holds() {
		c.Close()
		return 0, ErrLeaseOut
	}
	return c.Conn.Write(bytes)
}

// Read lets no byte in that arrived after the lease had run out, and none while it may not read: that is no silence.
func (c *leasedConn) Read(bytes []byte) (int, error) {
	for !c.mayRead() && !c.isClosed() {
		c.heard()
		select {
		case <-time.After(lookAgain):
		case <-c.closed:
		}
	}
	n, err := c.Conn.Read(bytes)
	if !c.lease.Holds() {
		c.Close()
		return 0, ErrLeaseOut
	}
	if n > 0 {
		c.heard()
	}
	return n, err
}

func (c *leasedConn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// Close closes the connection, once.
func (c *leasedConn) Close() error {
	err := net.ErrClosed
	c.close.Do(func() {
		close(c.closed)
		err = c.Conn.Close()
	})
	return err
}
