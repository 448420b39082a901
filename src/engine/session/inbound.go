package session

import (
	"fmt"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"wagate.dev/src/engine/convert"
	"wagate.dev/src/engine/follow"
)

// message tells a message and waits until it is stored. One that is refused again and again is then told by its bytes as
// well; in full first, each time, since it may have been the worker's trouble and not the message's.
func (c *connection) message(event *events.Message) bool {
	if notice := convert.HistoryNotice(event); notice != nil {
		return c.keepHistoryNotice(event, notice)
	}
	if !convert.IsMessage(event) {
		return true
	}
	key := itemKey{event.Info.Chat, event.Info.Sender.ToNonAD(), event.Info.ID, convert.Kind(event) + string(event.Info.Edit)}
	place := convert.Place(&event.Info, c.alternate, c.isCatchingUp())
	settlement := c.ask(convert.Arrived(event, place))
	if settlement == follow.Refused && c.session.refusals.add(key) {
		c.session.log.Warn("a message is refused again and again: it is told by its bytes alone", "message_id", event.Info.ID)
		settlement = c.ask(convert.ArrivedUnsupported(event, place))
	}
	return c.goOn(settlement, key)
}

// unreadable tells a message that cannot be read. Nobody waits for it to be stored: whatsmeow has confirmed it by then.
func (c *connection) unreadable(event *events.UndecryptableMessage) {
	if told := convert.Undecryptable(event, c.alternate, c.isCatchingUp()); told != nil {
		c.session.note(told)
	}
}

// receipt tells a receipt and waits until it is stored. One that is refused again and again would keep out all that is
// behind it, and has no plainer form: it is left with WhatsApp, which tells it again on the next line.
func (c *connection) receipt(event *events.Receipt) bool {
	receipt := convert.Receipt(event, c.alternate)
	if receipt == nil {
		return true
	}
	key := itemKey{event.Chat, event.Sender.ToNonAD(), fmt.Sprint(event.MessageIDs), "receipt" + string(event.Type)}
	settlement := c.ask(receipt)
	if settlement == follow.Refused && c.session.refusals.add(key) {
		c.session.log.Warn("a receipt is refused again and again: it is left for later", "message_ids", event.MessageIDs)
		return false
	}
	return c.goOn(settlement, key)
}

func (c *connection) ask(what any) follow.Settlement {
	return c.session.house.Desk.Ask(c.session.newItem(what), c.session.house.Pace.Settlement, c.line.Gone())
}

// goOn says whether the line may. After the first item that is not stored it ends, so that everything from there on is
// told again, in order.
func (c *connection) goOn(settlement follow.Settlement, key itemKey) bool {
	switch settlement {
	case follow.Stored:
		c.session.refusals.forget(key)
		return true
	case follow.Refused:
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
		c.conclude(storeFailed(err))
		c.line.Shut()
	}
	return err == nil
}

func (c *connection) isCatchingUp() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.catchingUp
}
