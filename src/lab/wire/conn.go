package wire

import (
	"context"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"wagate.dev/src/lab/noise"
)

// Gate sees every stanza of a connection, in each direction at one place, and
// may keep it from passing, or let it leave more than once. It is where faults
// are injected. Its methods are called in the order of the stanzas and must not
// block for long.
type Gate interface {
	Incoming(node *waBinary.Node) (passes bool)
	Outgoing(node *waBinary.Node) (copies int)
}

// Conn is an open connection on which stanzas are spoken.
type Conn struct {
	frames    *Frames
	transport *noise.Transport
	arrivals  *arrivals
	outbox    *outbox
	frozen    valve
	lagIn     *lag
	lagOut    *lag
	gate      func() Gate
	ctx       context.Context
	end       context.CancelCauseFunc
}

// NewConn takes over a socket after its handshake and starts writing what is
// sent. gate is asked anew for every stanza; what it returns may be nil.
func NewConn(ctx context.Context, frames *Frames, transport *noise.Transport, gate func() Gate) *Conn {
	ctx, end := context.WithCancelCause(ctx)
	conn := &Conn{
		frames: frames, transport: transport, arrivals: readArrivals(ctx, frames), outbox: newOutbox(),
		lagIn: newLag(), lagOut: newLag(), gate: gate, ctx: ctx, end: end,
	}
	go conn.write()
	return conn
}

// Send puts a stanza in line to be written. It never blocks and never fails: a
// connection that breaks shows that to its reader.
func (c *Conn) Send(node waBinary.Node) { c.SendThen(node, nil) }

// SendThen is Send, and calls sent each time the stanza has been written.
func (c *Conn) SendThen(node waBinary.Node, sent func()) {
	c.outbox.put(parcel{node: node, sent: sent, since: time.Now()})
}

// SendLast sends a stanza and leaves the client the given time to close the
// connection itself, as clients lose a last word that a close follows at once.
func (c *Conn) SendLast(node waBinary.Node, grace time.Duration) {
	c.SendThen(node, func() { time.AfterFunc(grace, c.Close) })
}

// Receive waits for the next stanza.
func (c *Conn) Receive() (*waBinary.Node, error) {
	for {
		arrived, err := c.arrivals.next(c.ctx)
		if err != nil {
			return nil, err
		}
		if err = c.lagIn.pass(c.ctx, arrived.at); err != nil {
			return nil, err
		}
		if err = c.frozen.pass(c.ctx); err != nil {
			return nil, err
		}
		plain, err := c.transport.Open(arrived.frame)
		if err != nil {
			return nil, err
		}
		node, err := Decode(plain)
		if err != nil {
			return nil, err
		}
		if gate := c.gate(); gate == nil || gate.Incoming(node) {
			return node, nil
		}
	}
}

// Freeze stops reading and answering while leaving the socket open.
func (c *Conn) Freeze() { c.frozen.shut() }

// Thaw ends a freeze; what was held goes on in order.
func (c *Conn) Thaw() { c.frozen.open() }

// Slow lets every stanza from the client be heard, and every one to it leave, so
// much later than it came; their order stays. It holds for those that wait too.
func (c *Conn) Slow(in, out time.Duration) {
	c.lagIn.set(in)
	c.lagOut.set(out)
}

// Close drops the socket at once.
func (c *Conn) Close() { c.end(nil) }

// Done is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.ctx.Done() }

// Cause tells why the connection ended; context.Canceled after a plain Close.
func (c *Conn) Cause() error { return context.Cause(c.ctx) }

func (c *Conn) write() {
	defer func() { _ = c.frames.Close() }() // the reader meets the same end and reports it
	for {
		item, err := c.outbox.next(c.ctx)
		if err == nil {
			err = c.writeParcel(item)
		}
		if err != nil {
			c.end(err)
			return
		}
	}
}

func (c *Conn) writeParcel(item parcel) error {
	if err := c.lagOut.pass(c.ctx, item.since); err != nil {
		return err
	}
	if err := c.frozen.pass(c.ctx); err != nil {
		return err
	}
	copies := 1
	if gate := c.gate(); gate != nil {
		copies = gate.Outgoing(&item.node)
	}
	for range copies {
		if err := c.writeNode(item.node); err != nil {
			return err
		}
		if item.sent != nil {
			item.sent()
		}
	}
	return nil
}

func (c *Conn) writeNode(node waBinary.Node) error {
	data, err := Encode(node)
	if err != nil {
		return err
	}
	return c.frames.WriteFrame(c.ctx, c.transport.Seal(data))
}
