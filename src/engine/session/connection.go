package session

import (
	"context"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
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
		StoreFailed: func(err error) { c.conclude(storeFailed(err)) },
	})
	s.connection = c
	return c
}

// run connects, and returns why the line ended.
func (c *connection) run() verdict {
	if err := c.name(); err != nil {
		return storeFailed(err)
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

// heedSilence sees what no ping tells: one that cannot even be written, because much else was before it.
func (c *connection) heedSilence(silence time.Duration) {
	switch {
	case silence > 2*c.session.house.Pace.Silence:
		c.conclude(unresponsive())
	case silence > c.session.house.Pace.Silence:
		c.degrade()
	case c.session.stateNow() == enginev1.LineChanged_STATE_DEGRADED && silence < c.session.house.Pace.Silence/4:
		c.connected()
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

// hear is told everything that happens on the line. What is not stored is told again.
func (c *connection) hear(event any) line.Answer {
	switch e := event.(type) {
	case *events.Message:
		return c.message(e)
	case *events.Receipt:
		return c.receipt(e)
	case *events.UndecryptableMessage:
		c.unreadable(e)
	case *events.Connected:
		c.connected()
	case *events.KeepAliveTimeout:
		c.pingUnanswered(e.ErrorCount)
	case *events.KeepAliveRestored:
		c.connected()
	case *events.OfflineSyncPreview:
		c.offline(enginev1.OfflineSync_PHASE_STARTED, e.Total)
	case *events.OfflineSyncCompleted:
		c.offline(enginev1.OfflineSync_PHASE_COMPLETED, e.Count)
	case *events.NotifyAccountReachoutTimelock:
		c.session.note(convert.ReachoutRestricted(e))
	case *events.FBMessage:
		c.session.log.Warn("a message of Messenger's kind arrived, and is not taken in", "message_id", e.Info.ID)
	default:
		if v, isEnd := verdictOn(event); isEnd {
			c.conclude(v)
		}
	}
	return line.Said(true)
}

// connected tells that the line is up.
func (c *connection) connected() {
	c.setUp(true)
	c.tell(&enginev1.LineChanged{
		State: enginev1.LineChanged_STATE_CONNECTED, Device: convert.Device(c.device),
	})
}

// tell says where the line is, unless it is gone: whatsmeow says that it is up even when the login's last question was
// never answered, and says so on another path, on which it may come after the news of the end.
func (c *connection) tell(change *enginev1.LineChanged) {
	c.session.mu.Lock()
	defer c.session.mu.Unlock()
	if c.session.connection == c && !c.line.IsGone() {
		c.session.tellLocked(change)
	}
}

// pingUnanswered heeds a ping without an answer, unless the answer may lie behind what the line does not read just now.
func (c *connection) pingUnanswered(inARow int) {
	switch {
	case c.line.HeldBack(c.session.house.Pace.Silence):
	case inARow > 1:
		c.conclude(unresponsive())
	default:
		c.degrade()
	}
}

// degrade tells that the line does not answer, unless that was told. A line that is not up yet is not up anyway.
func (c *connection) degrade() {
	if !c.isUp() || c.session.stateNow() == enginev1.LineChanged_STATE_DEGRADED {
		return
	}
	c.tell(&enginev1.LineChanged{
		State:   enginev1.LineChanged_STATE_DEGRADED,
		Failure: failure(wagatev1.ErrorReason_ERROR_REASON_LINE_UNRESPONSIVE, "", "The line did not answer a ping."),
	})
}

func (c *connection) offline(phase enginev1.OfflineSync_Phase, count int) {
	c.mu.Lock()
	c.catchingUp = phase == enginev1.OfflineSync_PHASE_STARTED
	c.mu.Unlock()
	c.session.note(&enginev1.OfflineSync{Phase: phase, ItemCount: int32(count)})
}

func (c *connection) learned(lid, phone types.JID) {
	c.session.note(&enginev1.NamesLearned{Names: convert.PersonNames("", lid, phone)})
}

// alternate finds the other name of a person in the store; empty if it is not known.
func (c *connection) alternate(jid types.JID) types.JID {
	other, err := c.device.GetAltJID(context.WithoutCancel(c.session.ctx), jid)
	if err != nil {
		c.session.log.Warn("the other name of a person could not be looked up", "error", err)
	}
	return other
}
