package session

import (
	"sync"
	"time"

	"go.mau.fi/whatsmeow/store"

	"wagate.dev/src/engine/convert"
	"wagate.dev/src/engine/line"
)

// lastWords is how long the reason for an end may come after the end: whatsmeow tells it on another path.
const lastWords = 300 * time.Millisecond

// connection is one line of a session, and what is known about it.
type connection struct {
	session *Session
	device  *store.Device
	line    *line.Line
	verdict chan verdict  // holds the first that is spoken
	ended   chan struct{} // closed when nothing of the line touches the store any more

	mu         sync.Mutex
	farewell   *verdict
	up         bool
	upSince    time.Time
	catchingUp bool // what arrives had waited at WhatsApp
}

func newConnection(s *Session, device *store.Device) *connection {
	c := &connection{session: s, device: device, verdict: make(chan verdict, 1), ended: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.run = s.run.Next()
	c.line = line.New(s.ctx, line.Options{
		Device:      device,
		Network:     s.house.Network,
		Proxy:       s.wishes.proxy,
		Lease:       s.lease,
		Log:         s.log,
		Hear:        func(_ *line.Line, event any) line.Answer { return c.hear(event) },
		Crowded:     s.house.Desk.IsCrowded,
		Learned:     c.learned,
		StoreFailed: func(err error) { c.conclude(s.storeFailed(err)) },
	})
	s.connection = c
	return c
}

// run connects, and returns why the line ended.
func (c *connection) run() verdict {
	if err := c.name(); err != nil {
		return c.session.storeFailed(err)
	}
	if err := c.line.Connect(); err != nil {
		return c.concluded(lost("The connection could not be made: " + err.Error() + "."))
	}
	login := time.NewTimer(c.session.house.Pace.Login)
	defer login.Stop()
	listen := time.NewTicker(c.session.house.Pace.Silence / 8)
	defer listen.Stop()
	for {
		select {
		case v := <-c.verdict:
			return v
		case <-c.line.Gone():
			return c.concluded(lost("The connection to WhatsApp was lost."))
		case <-login.C:
			if !c.isUp() {
				return lost("WhatsApp did not answer the login.")
			}
		case <-listen.C:
			c.heedSilence(c.line.SilentFor())
		}
	}
}

// name gives the device a name to be shown, until the account's own is known. From now on the session expects no other
// account: if it is unlinked, only this one may be linked again.
func (c *connection) name() error {
	c.session.mu.Lock()
	pushName := c.session.wishes.pushName
	c.session.named = c.device.ID.String()
	if c.session.wishes.expectedPhone == "" {
		c.session.wishes.expectedPhone = convert.PhoneNumber(c.device.ID.ToNonAD())
	}
	c.session.mu.Unlock()
	if c.device.PushName != "" || pushName == "" {
		return nil
	}
	c.device.PushName = pushName
	return c.device.Save(c.session.ctx)
}

// conclude speaks a verdict, which ends the line. Only the first counts, and none after leave.
func (c *connection) conclude(v verdict) {
	if c.leaving() != nil {
		return
	}
	select {
	case c.verdict <- v:
	default:
	}
}

// leave says beforehand what the end of the line will mean, whatever else is said about it.
func (c *connection) leave(v verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.farewell = &v
}

func (c *connection) leaving() *verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.farewell
}

// concluded is the verdict on a line that has ended: what was said about it, or is within a moment, else the one given.
func (c *connection) concluded(otherwise verdict) verdict {
	if farewell := c.leaving(); farewell != nil {
		return *farewell
	}
	select {
	case v := <-c.verdict:
		return v
	case <-time.After(lastWords):
	case <-c.session.ctx.Done():
	}
	return otherwise
}

// end closes the line, and returns when nothing of it touches the store any more.
func (c *connection) end() {
	c.setUp(false)
	c.line.Close()
	c.session.mu.Lock()
	defer c.session.mu.Unlock()
	c.session.connection = nil
	close(c.ended)
}

func (c *connection) setUp(up bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if up && c.upSince.IsZero() {
		c.upSince = time.Now()
	}
	c.up = up
}

func (c *connection) isUp() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.up
}

func (c *connection) upFor() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.upSince.IsZero() {
		return 0
	}
	return time.Since(c.upSince)
}
