package session

import (
	"fmt"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/convert"
	"wagate.dev/src/engine/follow"
	"wagate.dev/src/engine/line"
)

// message tells a message. One that was refused before is told alone, after all those before it were stored.
func (c *connection) message(event *events.Message) line.Answer {
	if notice := convert.HistoryNotice(event); notice != nil {
		return line.Said(c.keepHistoryNotice(event, notice))
	}
	if !convert.IsMessage(event) {
		return line.Said(true)
	}
	key := itemKey{event.Info.Chat, event.Info.Sender.ToNonAD(), event.Info.ID, convert.Kind(event) + string(event.Info.Edit)}
	if c.session.refusals.has(key) {
		return line.Said(c.line.AwaitAnswers() && c.messageAgain(event, key))
	}
	return c.ask(convert.Arrived(event, c.place(event)), key)
}

// messageAgain tells a message that was refused, and waits. If it is refused again and again it is told by its bytes as
// well; in full first, each time, since it may have been the worker's trouble and not the message's.
func (c *connection) messageAgain(event *events.Message, key itemKey) bool {
	settlement := c.ask(convert.Arrived(event, c.place(event)), key).settlement()
	if settlement == follow.Refused && c.session.refusals.add(key) {
		c.session.log.Warn("a message is refused again and again: it is told by its bytes alone", "message_id", event.Info.ID)
		c.passOver()
		settlement = c.ask(convert.ArrivedUnsupported(event, c.place(event)), key).settlement()
	}
	return c.goOn(settlement, key)
}

// unreadable tells a message that cannot be read. Nobody waits for it to be stored: whatsmeow has confirmed it by then.
func (c *connection) unreadable(event *events.UndecryptableMessage) {
	if told := convert.Undecryptable(event, c.alternate, c.isCatchingUp()); told != nil {
		c.session.note(told)
	}
}

// receipt tells a receipt. One that is refused again and again would keep out all that is behind it, and has no plainer
// form: it is left with WhatsApp, which tells it again on the next line.
func (c *connection) receipt(event *events.Receipt) line.Answer {
	receipt := convert.Receipt(event, c.alternate)
	if receipt == nil {
		return line.Said(true)
	}
	key := itemKey{event.Chat, event.Sender.ToNonAD(), fmt.Sprint(event.MessageIDs), "receipt" + string(event.Type)}
	if !c.session.refusals.has(key) {
		return c.ask(receipt, key)
	}
	if !c.line.AwaitAnswers() {
		return line.Said(false)
	}
	settlement := c.ask(receipt, key).settlement()
	if settlement == follow.Refused && c.session.refusals.add(key) {
		c.session.log.Warn("a receipt is refused again and again: it is left for later", "message_ids", event.MessageIDs)
		c.passOver()
		return line.Said(false)
	}
	return line.Said(c.goOn(settlement, key))
}

// asked is something that was told, and that is waited for to be stored.
type asked struct {
	connection *connection
	key        itemKey
	question   *follow.Question
}

func (c *connection) ask(what any, key itemKey) *asked {
	c.session.mu.Lock()
	item, run := c.session.item(what), c.session.run
	c.session.mu.Unlock()
	return &asked{c, key, c.session.house.Desk.Ask(item, run)}
}

// passOver lets what follows be taken in although something was refused.
func (c *connection) passOver() {
	c.session.mu.Lock()
	defer c.session.mu.Unlock()
	c.session.run = c.session.run.Next()
}

// IsStored says whether it is known by now that it was stored.
func (a *asked) IsStored() bool { return a.question.IsStored() }

// Stored waits until it is known; if it is not stored, the line ends.
func (a *asked) Stored() bool {
	settlement := a.settlement()
	if settlement == follow.Refused {
		a.connection.session.refusals.add(a.key)
	}
	return a.connection.goOn(settlement, a.key)
}

func (a *asked) settlement() follow.Settlement {
	return a.question.Settlement(a.connection.session.house.Pace.Settlement, a.connection.line.Gone())
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
		c.conclude(c.session.storeFailed(err))
		c.line.Shut()
	}
	return err == nil
}

func (c *connection) place(event *events.Message) *enginev1.MessagePlace {
	return convert.Place(&event.Info, c.alternate, c.isCatchingUp())
}

func (c *connection) isCatchingUp() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.catchingUp
}
