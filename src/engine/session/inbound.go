package session

import (
	"fmt"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/convert"
	"wagate.dev/src/engine/follow"
)

// message tells a message and waits until it is stored.
func (c *connection) message(event *events.Message) bool {
	if notice := convert.HistoryNotice(event); notice != nil {
		return c.keepHistoryNotice(event, notice)
	}
	if !convert.IsMessage(event) {
		return true
	}
	key := itemKey{event.Info.Chat, event.Info.Sender.ToNonAD(), event.Info.ID, convert.Kind(event) + string(event.Info.Edit)}
	arrived := convert.Arrived(event, c.place(&event.Info))
	if c.session.refusals.exhausted(key) {
		c.session.log.Warn("a message was refused too often: it is told by its bytes alone", "message_id", event.Info.ID)
		arrived = convert.ArrivedUnsupported(event, arrived.Place)
	}
	return c.ask(arrived, key)
}

// receipt tells a receipt and waits until it is stored. One that is refused too often is given up: it would keep out
// every message behind it, and has no plainer form.
func (c *connection) receipt(event *events.Receipt) bool {
	receipt := convert.Receipt(event, c.alternate)
	if receipt == nil {
		return true
	}
	key := itemKey{event.Chat, event.Sender.ToNonAD(), fmt.Sprint(event.MessageIDs), "receipt" + string(event.Type)}
	if c.session.refusals.exhausted(key) {
		c.session.log.Error("a receipt was refused too often: it is given up", "message_ids", event.MessageIDs, "kind", receipt.Kind.String())
		c.session.refusals.forget(key)
		return true
	}
	return c.ask(receipt, key)
}

// ask tells an item and waits for its settlement. After the first that is not stored the line ends, so that everything
// from there on is told again, in order.
func (c *connection) ask(what any, key itemKey) bool {
	settlement := c.session.house.Desk.Ask(c.session.newItem(what), c.session.house.Pace.Settlement, c.line.Gone())
	switch settlement {
	case follow.Stored:
		c.session.refusals.forget(key)
		return true
	case follow.Refused:
		c.session.refusals.add(key)
		c.conclude(lost("What arrived could not be stored: it is asked for again."))
	default:
		c.conclude(lost("Nobody said that what arrived was stored: it is asked for again."))
	}
	c.line.Shut()
	return false
}

// keepHistoryNotice stores where a part of the phone's history lies.
func (c *connection) keepHistoryNotice(event *events.Message, notice *waE2E.HistorySyncNotification) bool {
	bytes, err := proto.MarshalOptions{AllowPartial: true}.Marshal(notice)
	if err == nil {
		err = c.session.store.KeepHistoryNotice(c.session.ctx, event.Info.ID, event.Info.Timestamp, bytes)
	}
	if err != nil {
		c.conclude(lost("The session's store failed: " + err.Error() + "."))
		c.line.Shut()
	}
	return err == nil
}

func (c *connection) place(info *types.MessageInfo) *enginev1.MessagePlace {
	c.mu.Lock()
	offline := c.catchingUp
	c.mu.Unlock()
	return convert.Place(info, c.alternate, offline)
}
