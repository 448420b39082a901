package session

import (
	"context"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/convert"
	"wagate.dev/src/engine/line"
)

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
