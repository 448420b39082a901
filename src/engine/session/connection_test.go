package session

import (
	"log/slog"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/follow"
	"wagate.dev/src/engine/lease"
	"wagate.dev/src/engine/line"
)

// newLine makes a connection of a session that is not dialled.
func newLine(t *testing.T) *connection {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	house := &House{Network: &line.Network{}, Desk: follow.NewDesk(log), Log: log, Pace: DefaultPace()}
	held := lease.New(lease.Now() + time.Hour)
	t.Cleanup(held.End)
	s := newSession(house, "shop", nil, held)
	t.Cleanup(s.cancel)
	device := &store.Device{ID: &types.JID{User: "4915187654321", Device: 3, Server: types.DefaultUserServer}}
	c := newConnection(s, device)
	t.Cleanup(c.line.Close)
	return c
}

func TestALineThatIsGoneIsNeverSaidToBeConnected(t *testing.T) {
	const up, lost = enginev1.LineChanged_STATE_CONNECTED, enginev1.LineChanged_STATE_RECONNECTING
	c := newLine(t)
	c.connected()
	if told := c.session.stateNow(); told != up {
		t.Fatalf("a line that came up is %s", told)
	}
	c.line.Shut()
	c.session.tell(&enginev1.LineChanged{State: lost})
	c.connected()
	c.pingUnanswered(1)
	if told := c.session.stateNow(); told != lost {
		t.Errorf("a line that is gone is %s", told)
	}
	c.end()
	c.connected()
	if told := c.session.stateNow(); told != lost {
		t.Errorf("a line that was ended is %s", told)
	}
}

func TestALineWhosePlaceIsTakenSaysNothingMore(t *testing.T) {
	c := newLine(t)
	next := newConnection(c.session, c.device)
	t.Cleanup(next.line.Close)
	c.connected()
	if told := c.session.stateNow(); told != enginev1.LineChanged_STATE_UNSPECIFIED {
		t.Errorf("it says %s", told)
	}
}
